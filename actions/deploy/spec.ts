import { checkInputs, checkOutputs, reportFolderInput } from '../../src/action/check-inputs.ts'
import {
  audienceRule,
  connectionInputs,
  gateInputs,
  planInputs,
  stepInputs
} from '../../src/action/connection-inputs.ts'
import { choice, flag, text } from '../../src/action/input-types.ts'
import { credentialRule, healthInputs, organizationInput, releaseChecksRule } from '../../src/action/release-inputs.ts'
import { defineAction } from '../../src/action/spec.ts'
import { results } from '../../src/release/deployment.ts'
import { releaseOutputs } from '../release-outputs.ts'

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
    organization: organizationInput,
    create: {
      description:
        'Whether to create the database when there is none of this name. Without it that is an error, since it is mostly a misspelt name.',
      schema: flag(),
      default: 'false'
    },
    ...gateInputs,
    ...planInputs,
    ...stepInputs,
    ...healthInputs,
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
    ...releaseOutputs,
    ...checkOutputs,
    passed: {
      description: `${checkOutputs.passed.description} This and the other outputs about checks are set when checks were run, or a soak.`
    }
  },
  firstOutputs: { result: 'failed' },
  rules: [
    credentialRule,
    audienceRule,
    {
      about: ['plan', 'plan-digest'],
      holds: ({ plan, planDigest }) => plan !== undefined || planDigest === undefined,
      message: 'The input `plan-digest` goes with `plan` only.'
    },
    releaseChecksRule
  ],
  post: true
})
