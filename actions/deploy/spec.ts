import { checkInputs, checkOutputs, reportFolderInput } from '../../src/action/check-inputs.ts'
import {
  audienceRule,
  connectionInputs,
  gateInputs,
  planInputs,
  stepInputs
} from '../../src/action/connection-inputs.ts'
import { choice, duration, flag, text } from '../../src/action/input-types.ts'
import { defineAction } from '../../src/action/spec.ts'
import { verdicts } from '../../src/migration/verdict.ts'
import { results } from '../../src/release/deployment.ts'

export const spec = defineAction({
  name: 'deploy',
  title: 'Deploy a SpacetimeDB module',
  description:
    'Publishes a compiled module to a SpacetimeDB database: judged before, checked after, and rolled back when it is not healthy.',
  branding: { icon: 'upload-cloud', color: 'purple' },
  permissions: [{ name: 'id-token', access: 'write', when: 'with `auth: oidc`; none is needed with a `token`' }],
  inputs: {
    server: { ...connectionInputs.server, required: true },
    database: { ...connectionInputs.database, description: 'The database to deploy to.', required: true },
    module: {
      description:
        'The compiled module to publish: a file in the workspace. Its kind, WebAssembly or JavaScript, is seen from what is in it.',
      schema: text('the path of a file, such as `target/wasm32-unknown-unknown/release/game.wasm`'),
      required: true
    },
    token: connectionInputs.token,
    auth: connectionInputs.auth,
    audience: connectionInputs.audience,
    'allow-insecure': connectionInputs['allow-insecure'],
    organization: {
      description:
        'The organization that owns the database, or is to own it when it is created. Without it the owner is the credential.',
      schema: text('the name or the identity of an organization')
    },
    create: {
      description:
        'Whether to create the database when there is none of this name. Without it that is an error, since it is mostly a misspelt name.',
      schema: flag(),
      default: 'false'
    },
    ...gateInputs,
    ...planInputs,
    ...stepInputs,
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
    },
    ...checkInputs,
    checks: {
      ...checkInputs.checks,
      description:
        'The YAML file of checks (docs/checks.md) that decide, besides the health check, whether the release is kept. They run again when the job is run again.'
    },
    soak: {
      ...checkInputs.soak,
      description:
        'How long to watch a new release after all else has passed: log, metrics and the served hash. When something goes wrong the release counts as unhealthy.'
    },
    'report-folder': reportFolderInput,
    'on-failure': {
      description:
        'What to do with a release that is not healthy: publish the previous module again, or keep it. The job fails either way. A rollback restores the module, not the data that the new one wrote.',
      schema: choice('rollback', 'keep'),
      default: 'rollback'
    },
    'dry-run': {
      description: 'Whether to stop before anything is changed. The job fails when the deploy would have been refused.',
      schema: flag(),
      default: 'false'
    }
  },
  outputs: {
    result: {
      description:
        'How the deploy ended. The job passes with `created`, `updated`, `unchanged` and `planned` (a dry run), and fails with every other.',
      values: results
    },
    verdict: { description: 'What the release does to clients that run now.', values: verdicts },
    reversible: {
      description: 'Whether the previous module can be published over the new one.',
      values: ['yes', 'conditional', 'no']
    },
    conditions: {
      description: 'What must be true of the data for the way there and back, as a JSON array. `[]` when nothing.'
    },
    plan: { description: 'The path of plan.json: what was judged and why.' },
    'module-hash': { description: 'The hash (keccak256, hex) of the module that was to be deployed.' },
    'previous-module-hash': {
      description: 'The hash of the module that was live before. Not set when there was none.'
    },
    'database-identity': { description: 'The identity of the database.' },
    identity: { description: 'Who the credential is to the server: an identity.' },
    'previous-module': {
      description:
        'The path of the file with the module that was live before, taken from the database itself and checked against its hash. Not set when there was none, or when it was this very module.'
    },
    ...checkOutputs,
    passed: {
      description: `${checkOutputs.passed.description} This and the other outputs about checks are set when checks were run, or a soak.`
    }
  },
  firstOutputs: { result: 'failed' },
  rules: [
    {
      about: ['token', 'auth'],
      holds: ({ token, auth }) => (token === undefined) !== (auth === undefined),
      message:
        'Give exactly one of the inputs `token` and `auth: oidc`: a deploy never goes without a credential. A `token` from a secret that is not set, as in a pull request from a fork, is empty and counts as not given.'
    },
    audienceRule,
    {
      about: ['plan', 'plan-digest'],
      holds: ({ plan, planDigest }) => plan !== undefined || planDigest === undefined,
      message: 'The input `plan-digest` goes with `plan` only.'
    },
    {
      about: ['checks', 'inline-checks', 'soak', 'allow-writes', 'allowed-load-hosts', 'report-folder'],
      holds: ({ checks, inlineChecks, soak, allowWrites, allowedLoadHosts, reportFolder }) =>
        [checks, inlineChecks, soak].some((given) => given !== undefined) ||
        (!allowWrites && allowedLoadHosts === undefined && reportFolder === undefined),
      message:
        'The inputs `allow-writes`, `allowed-load-hosts` and `report-folder` go with `checks`, `inline-checks` or `soak` only.'
    }
  ],
  post: true
})
