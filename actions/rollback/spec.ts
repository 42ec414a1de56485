import { checkInputs, checkOutputs, reportFolderInput } from '../../src/action/check-inputs.ts'
import { audienceRule, connectionInputs, gateInputs } from '../../src/action/connection-inputs.ts'
import { flag, matching, text } from '../../src/action/input-types.ts'
import { ledgerInputs, ledgerOutputs } from '../../src/action/ledger-inputs.ts'
import { credentialRule, healthInputs, organizationInput, releaseChecksRule } from '../../src/action/release-inputs.ts'
import { defineAction } from '../../src/action/spec.ts'
import { results } from '../../src/release/deployment.ts'
import { releaseOutputs } from '../release-outputs.ts'

export const spec = defineAction({
  name: 'rollback',
  title: 'Roll a SpacetimeDB database back',
  description:
    'Makes a database run the module of an earlier release again, without losing data: shown before, proved by its hash, checked after.',
  branding: { icon: 'rotate-ccw', color: 'purple' },
  permissions: [
    { name: 'deployments', access: 'write', when: 'to find the earlier release, and to write the rollback down' },
    {
      name: 'actions',
      access: 'read',
      when: "for the module's bytes in an artifact of an earlier run"
    },
    { name: 'contents', access: 'read', when: "for the module's bytes at a GitHub release" },
    { name: 'packages', access: 'read', when: "for the module's bytes in a private package of ghcr.io" },
    { name: 'id-token', access: 'write', when: 'with `auth: oidc`; none is needed with a `token`' }
  ],
  inputs: {
    server: { ...connectionInputs.server, required: true },
    database: { ...connectionInputs.database, description: 'The database to roll back.', required: true },
    to: {
      description:
        'What to go back to. `previous` is the last good release before the live one: rolling back twice goes back two. Else the id of a release, the commit or the version tag that it was built from, or the hash of its module. Without `to` and `module` it is `previous`.',
      schema: matching(
        /^[^\s\p{Cc}]{1,255}$/u,
        '`previous`, the id of a release, a commit (7 to 40 hex digits), a tag, or the hash of a module (64 hex digits)'
      )
    },
    module: {
      description: 'The compiled module to go back to, instead of `to`: a file in the workspace.',
      schema: text('the path of a file, such as `game.wasm`')
    },
    reason: {
      description: 'Why, in a sentence: it is written down with the rollback and shown in the summary.',
      schema: text()
    },
    'dry-run': {
      description:
        'Whether to stop before anything is changed, and say what would happen. The job fails when the rollback would have been refused.',
      schema: flag(),
      default: 'false'
    },
    token: connectionInputs.token,
    auth: connectionInputs.auth,
    audience: connectionInputs.audience,
    'allow-insecure': connectionInputs['allow-insecure'],
    organization: {
      ...organizationInput,
      description: 'The organization that owns the database. Without it the owner is the credential.'
    },
    ...gateInputs,
    ...healthInputs,
    ...checkInputs,
    checks: {
      ...checkInputs.checks,
      description:
        'The YAML file of checks (docs/checks.md) to run on what was restored, besides its health check. It is kept when they fail; the job fails then.'
    },
    soak: {
      ...checkInputs.soak,
      description:
        'How long to watch what was restored after all else has passed: log, metrics and the served hash. When something goes wrong the job fails.'
    },
    'report-folder': reportFolderInput,
    ...ledgerInputs,
    'github-token': {
      ...ledgerInputs['github-token'],
      description:
        "For the ledger of releases and the module's bytes: GitHub's API and, where the module is a package, ghcr.io. It is sent to nothing else."
    }
  },
  outputs: {
    result: {
      description:
        'How the rollback ended. The job passes with `rolled-back`, `unchanged` (what was asked for is live already) and `planned` (a dry run), and fails with every other.',
      values: results
    },
    ...releaseOutputs,
    verdict: { ...releaseOutputs.verdict, description: 'What the rollback does to clients that run now.' },
    reversible: {
      ...releaseOutputs.reversible,
      description: 'Whether the release that was live can be published again afterwards.'
    },
    'module-hash': { description: 'The hash (keccak256, hex) of the module to go back to, once it was found.' },
    ...ledgerOutputs,
    'restored-release': {
      description: 'The id of the release to go back to. Not set when it is none of the ledger.'
    },
    ...checkOutputs,
    passed: {
      description: `${checkOutputs.passed.description} This and the other outputs about checks are set when checks were run, or a soak.`
    }
  },
  firstOutputs: { result: 'failed' },
  rules: [
    {
      about: ['to', 'module'],
      holds: ({ to, module }) => to === undefined || module === undefined,
      message:
        'Give one thing to go back to: the input `to` (a release) or `module` (a file), not both. In a form with a default for `to`, leave that empty to use `module`.'
    },
    credentialRule,
    audienceRule,
    releaseChecksRule
  ],
  post: true
})
