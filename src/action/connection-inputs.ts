import { choice, duration, flag, matching, text } from './input-types.ts'

/** The inputs by which actions name a server, a database on it, and who they are. */
export const connectionInputs = {
  server: {
    description: 'The SpacetimeDB server.',
    schema: matching(
      /^(maincloud|local|https?:\/\/[^\s/]+\S*)$/i,
      'a URL such as `https://stdb.example.org`, or the nickname `maincloud` or `local`'
    )
  },
  database: {
    description: 'The database.',
    schema: matching(
      /^[a-z0-9]+(-[a-z0-9]+)*$/,
      'a name of lower-case letters, digits and single dashes between them, or an identity of 64 hex digits'
    )
  },
  token: {
    description:
      "The token of the database's owner, from a secret. Give either this or `auth: oidc`. It is masked in the log and sent to nothing but the server.",
    schema: text('a token of the server'),
    secret: true
  },
  auth: {
    description:
      "With `oidc` the job's own GitHub ID token is the credential, so there is no secret to keep. Who it is depends on the repository and the environment, branch or event that the job runs for: run the job in a GitHub environment, so that it is always the same. Needs `permissions: id-token: write`.",
    schema: choice('oidc')
  },
  audience: {
    description: 'The audience of the ID token, with `auth: oidc`. The default is the one that GitHub gives.',
    schema: text('any text, usually the URL of the server')
  },
  'allow-insecure': {
    description:
      'Whether the credential may be sent over plain `http://` to a server that is not on this machine. Everybody on the way can read it then.',
    schema: flag(),
    default: 'false'
  }
} as const

/** The inputs by which somebody lets through what is refused without them. */
export const gateInputs = {
  'allow-breaking-clients': {
    description:
      'Whether to publish a module that breaks clients which run now: they are disconnected, or calls of theirs fail (verdict `breaks-clients`).',
    schema: flag(),
    default: 'false'
  },
  'allow-irreversible': {
    description:
      'Whether to publish a module that cannot be taken back by publishing the previous one again (`reversible` is `no`). There is no automatic rollback from such a release.',
    schema: flag(),
    default: 'false'
  },
  acknowledge: {
    description:
      'Single changes that are agreed to, by their ids as a plan shows them, one in each line or with commas between. An id stops counting when its change changes.',
    schema: matching(/^[\w-]+([\s,]+[\w-]+)*$/, 'ids such as `reducer-removed-1a2b3c4d5e6f`')
  }
} as const

/** The inputs by which an approved plan is given. */
export const planInputs = {
  plan: {
    description:
      'The plan.json that was approved: exactly that is published, or nothing. A path, or `artifact:NAME` for one that this run has kept.',
    schema: text('the path of a plan.json, or `artifact:` and the name of an artifact of this run')
  },
  'plan-digest': {
    description:
      'The digest of the plan that was approved (output `plan-digest` of the job that made it). With it a plan that somebody has put in its place is refused.',
    schema: matching(/^[0-9a-f]{64}$/i, '64 hex digits')
  },
  'max-plan-age': {
    description: 'How old the approved plan may be.',
    schema: duration({ min: 60_000, max: 30 * 24 * 3_600_000 }),
    default: '168h'
  }
} as const

/** The inputs by which the data is prepared for a release, and brought after it. */
export const stepInputs = {
  'steps-before': {
    description:
      'A YAML file of steps that run before the module is published: reducer calls, SQL, waits (docs/steps.md). When one fails nothing is published.',
    schema: text('the path of a file')
  },
  'steps-after': {
    description:
      'A YAML file of steps that run when the module is live, again when the job is run again: they must be repeatable. When one fails the release counts as unhealthy.',
    schema: text('the path of a file')
  }
} as const

/** The rule about `audience`. */
export const audienceRule = {
  about: ['audience', 'auth', 'token'],
  holds: ({ audience, auth, token }: { audience?: unknown; auth?: unknown; token?: unknown }) =>
    audience === undefined || auth !== undefined || token === undefined,
  message: 'The input `audience` goes with `auth: oidc` only: leave it out when there is a `token`.'
} as const

/** The ids in an input `acknowledge`. */
export function acknowledgedIds(given: string | undefined): readonly string[] {
  return given?.split(/[\s,]+/) ?? []
}
