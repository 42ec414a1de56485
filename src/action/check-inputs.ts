import { duration, flag, matching, text } from './input-types.ts'

/** The inputs by which checks of a release are given. */
export const checkInputs = {
  checks: {
    description: 'The YAML file of checks (docs/checks.md).',
    schema: text('the path of a file')
  },
  'inline-checks': {
    description: 'Checks as YAML, right here: as a file of checks has them. They are run besides those of a file.',
    schema: text('YAML: a list of checks, or a map with the key `checks`')
  },
  'allow-writes': {
    description: 'Whether checks that change data (`writes: true`) may run on a real database.',
    schema: flag(),
    default: 'false'
  },
  'allowed-load-hosts': {
    description:
      'Hosts that may be put under load (`load`, `connections`), besides this machine: one in each line or with commas between.',
    schema: matching(
      /^[a-z0-9.:[\]-]+([\s,]+[a-z0-9.:[\]-]+)*$/i,
      'names of hosts such as `staging.example.org`, without scheme'
    )
  },
  soak: {
    description:
      'How long to watch on after all checks have passed: log, metrics and the served hash. The first thing that goes wrong fails the step.',
    schema: duration({ min: 1000 })
  }
} as const

/** What those inputs say. */
export type CheckInputs = {
  readonly checks: string | undefined
  readonly inlineChecks: string | undefined
  readonly allowWrites: boolean
  readonly allowedLoadHosts: string | undefined
  readonly soak: number | undefined
}
