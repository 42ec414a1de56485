import { duration, text } from './input-types.ts'

/** The inputs by which a release says itself whether it is healthy. */
export const healthInputs = {
  'health-check': {
    description:
      'The reducer or procedure, without parameters, that says whether the release is healthy: it is called after publishing, and again when the job is run again. `auto` calls `health_check` when the module has one.',
    schema: text('`auto`, `none`, or the name of a reducer or procedure of the module'),
    default: 'auto'
  },
  'health-timeout': {
    description:
      'How long the health check may take, all tries together. Only a call whose answer was lost is tried again: an error of the reducer itself is final.',
    schema: duration({ min: 100, max: 3_600_000 }),
    default: '30s'
  }
} as const

/** Who owns what is published to. */
export const organizationInput = {
  description:
    'The organization that owns the database, or is to own it when it is created. Without it the owner is the credential.',
  schema: text('the name or the identity of an organization')
} as const

type Given = Readonly<Record<string, unknown>>

/** The rule that what publishes needs a credential. */
export const credentialRule = {
  about: ['token', 'auth'],
  holds: ({ token, auth }: Given) => (token === undefined) !== (auth === undefined),
  message:
    'Give exactly one of the inputs `token` and `auth: oidc`: nothing is published without a credential. A `token` from a secret that is not set, as in a pull request from a fork, is empty and counts as not given.'
} as const

/** The rule about what goes with checks of a release. */
export const releaseChecksRule = {
  about: ['checks', 'inline-checks', 'soak', 'allow-writes', 'allowed-load-hosts', 'report-folder'],
  holds: ({ checks, inlineChecks, soak, allowWrites, allowedLoadHosts, reportFolder }: Given) =>
    [checks, inlineChecks, soak].some((given) => given !== undefined) ||
    (allowWrites === false && allowedLoadHosts === undefined && reportFolder === undefined),
  message:
    'The inputs `allow-writes`, `allowed-load-hosts` and `report-folder` go with `checks`, `inline-checks` or `soak` only.'
} as const
