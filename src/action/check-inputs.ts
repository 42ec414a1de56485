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

/** The input by which the place of reports is given. */
export const reportFolderInput = {
  description:
    'The folder for the reports of the checks, smoke-test.json and smoke-test.xml. Without it a new one in the temporary folder of the job.',
  schema: text('the path of a folder')
} as const

/** The outputs about checks. */
export const checkOutputs = {
  passed: { description: 'How many checks passed.' },
  failed: { description: 'How many checks failed, could not run, or did not hold during the soak.' },
  skipped: {
    description: 'How many checks were skipped: optional ones that could not run, and those whose `needs` did not pass.'
  },
  report: { description: 'The path of the report of the checks as JSON (docs/smoke-test.md says its form).' },
  junit: {
    description: 'The path of the report of the checks as JUnit XML, which most tools that show tests read.'
  },
  p95: {
    description:
      'Of the calls of a `load` check, the time in milliseconds that 95 of 100 were done in: of several the worst. Not set without one.'
  }
} as const

/** What the inputs say. */
export type CheckInputs = {
  readonly checks: string | undefined
  readonly inlineChecks: string | undefined
  readonly allowWrites: boolean
  readonly allowedLoadHosts: string | undefined
  readonly soak: number | undefined
}
