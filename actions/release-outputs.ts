import { ledgerOutputs } from '../src/action/ledger-inputs.ts'
import { verdicts } from '../src/migration/verdict.ts'

/** What `outputsOfRelease` sets, but how it ended. */
export const releaseOutputs = {
  verdict: { description: 'What the release does to clients that run now.', values: verdicts },
  reversible: {
    description: 'Whether the previous module can be published over the new one.',
    values: ['yes', 'conditional', 'no']
  },
  conditions: {
    description: 'What must be true of the data for the way there and back, as a JSON array. `[]` when nothing.'
  },
  plan: { description: 'The path of plan.json: what was judged and why.' },
  'module-hash': { description: 'The hash (keccak256, hex) of the module that was to be published.' },
  'previous-module-hash': {
    description: 'The hash of the module that was live before. Not set when there was none.'
  },
  'database-identity': { description: 'The identity of the database.' },
  identity: { description: 'Who the credential is to the server: an identity.' },
  ...ledgerOutputs,
  'previous-module': {
    description:
      'The path of the file with the module that was live before, taken from the database itself and checked against its hash. Not set when there was none, or when it was this very module.'
  }
} as const
