import { choice, matching, text } from './input-types.ts'

/** The inputs about the ledger of releases. */
export const ledgerInputs = {
  environment: {
    description:
      "The environment of GitHub that the releases are shown and looked up under, in the repository's deployments. Without it the name of the database.",
    schema: matching(/^[^\p{Cc}]{1,255}$/u, 'the name of an environment, such as `production`')
  },
  ledger: {
    description:
      "Where releases are written down: in the repository's deployments (`github`), for which the job needs `permissions: deployments: write`, or nowhere (`none`). A release that could not be written down is a warning, nothing more.",
    schema: choice('github', 'none'),
    default: 'github'
  },
  'on-drift': {
    description:
      'What to do when something else is live than the ledger says, since somebody has published past it: stop before anything is changed (`fail`), or write down what is live and go on (`adopt`).',
    schema: choice('fail', 'adopt'),
    default: 'adopt'
  },
  'github-token': {
    description: "For the ledger of releases. It is sent to nothing but GitHub's API.",
    schema: text('a token of GitHub'),
    expression: 'github.token',
    secret: true
  }
} as const

/** The output about the ledger. */
export const ledgerOutputs = {
  'release-id': {
    description:
      'The id of the release in the ledger, which the action `rollback` takes. Not set when nothing was written down.'
  }
} as const

/** What the ledger needs of the job's token. */
export const ledgerPermission = {
  name: 'deployments',
  access: 'write',
  when: "to write releases down in the repository's deployments; without it that is left out, with a warning"
} as const
