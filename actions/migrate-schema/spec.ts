import {
  audienceRule,
  connectionInputs,
  gateInputs,
  planInputs,
  stepInputs
} from '../../src/action/connection-inputs.ts'
import { artifactNameText, choice, flag, text } from '../../src/action/input-types.ts'
import { ledgerInputs, ledgerOutputs, ledgerPermission } from '../../src/action/ledger-inputs.ts'
import { defineAction } from '../../src/action/spec.ts'
import { verdicts } from '../../src/migration/verdict.ts'
import { results } from '../../src/release/deployment.ts'

export const spec = defineAction({
  name: 'migrate-schema',
  title: 'Plan or apply a SpacetimeDB schema migration',
  description:
    'Says what a release does to the data and the clients before it does it, on pull requests without any secret; and carries exactly the approved plan out.',
  branding: { icon: 'git-pull-request', color: 'purple' },
  permissions: [
    {
      name: 'pull-requests',
      access: 'write',
      when: 'for the comment on a pull request; without it the plan is in the job summary alone'
    },
    { name: 'actions', access: 'read', when: 'to compare with the module of a branch (`base-ref`)' },
    { name: 'id-token', access: 'write', when: 'with `auth: oidc`' },
    { ...ledgerPermission, when: `with \`mode: apply\`, ${ledgerPermission.when}` }
  ],
  inputs: {
    mode: {
      description:
        '`plan` finds out what the module would do and changes nothing. `apply` carries a plan out that was approved, and nothing else.',
      schema: choice('plan', 'apply'),
      default: 'plan'
    },
    module: {
      description:
        'The compiled module: a file in the workspace. Its kind, WebAssembly or JavaScript, is seen from what is in it.',
      schema: text('the path of a file, such as `target/wasm32-unknown-unknown/release/game.wasm`')
    },
    artifact: {
      description: "The name of `build-module`'s artifact of this run, with the module, instead of `module`.",
      schema: artifactNameText()
    },
    server: {
      ...connectionInputs.server,
      description:
        'The SpacetimeDB server with the database to compare with. Without a credential its public part is asked, and the difference of the two modules judged; with that of the owner the server makes its own plan too, which can be applied.'
    },
    database: { ...connectionInputs.database, description: 'The database on that server.' },
    token: connectionInputs.token,
    auth: connectionInputs.auth,
    audience: connectionInputs.audience,
    'allow-insecure': connectionInputs['allow-insecure'],
    organization: {
      description: 'The organization that owns the database, when it is not the credential itself.',
      schema: text('the name or the identity of an organization')
    },
    'base-module': {
      description: 'Another compiled module to compare with, instead of a database.',
      schema: text('the path of a file')
    },
    'base-ref': {
      description:
        'A branch, to compare with the module that `build-module` kept for it last. On a pull request without `server` and `base-module`, the branch that it goes to.',
      schema: text('the name of a branch, such as `main`')
    },
    'artifact-name': {
      description: "The name of `build-module`'s artifact on that branch.",
      schema: artifactNameText(),
      default: 'module'
    },
    ...planInputs,
    ...gateInputs,
    'report-only': {
      description:
        'Whether the job passes although the gate would refuse the release. What is impossible in place fails all the same. With `mode: plan` only.',
      schema: flag(),
      default: 'false'
    },
    ...stepInputs,
    environment: {
      ...ledgerInputs.environment,
      description: `With \`mode: apply\`. ${ledgerInputs.environment.description}`
    },
    ledger: { ...ledgerInputs.ledger, description: `With \`mode: apply\`. ${ledgerInputs.ledger.description}` },
    'on-drift': {
      ...ledgerInputs['on-drift'],
      description: `With \`mode: apply\`. ${ledgerInputs['on-drift'].description}`
    },
    comment: {
      description:
        'Whether to keep a comment with the plan on the pull request. It is changed in place, and removed when there is nothing to say.',
      schema: flag(),
      default: 'true'
    },
    source: {
      description:
        "The folder of the module's source, for annotations on the lines that a change comes from. Without it, where `build-module` would look.",
      schema: text('a folder in the workspace')
    },
    'upload-plan': {
      description: 'Whether to keep plan.json as an artifact of the run.',
      schema: flag(),
      default: 'true'
    },
    'plan-artifact': {
      description: 'The name of that artifact: another one in each job of a run.',
      schema: artifactNameText(),
      default: 'plan'
    },
    'github-token': {
      description:
        "For the comment, the base branch's artifact and the ledger of releases. It is sent to nothing but GitHub's API.",
      schema: text('a token of GitHub'),
      expression: 'github.token',
      secret: true
    }
  },
  outputs: {
    result: {
      description:
        'How it ended. A plan is `planned`, `unchanged` (the module is live already), or `refused` by the gate. Applying ends as a deploy does.',
      values: results
    },
    verdict: { description: 'What the release does to clients that run now.', values: verdicts },
    reversible: {
      description: 'Whether the previous module can be published over the new one. Not set for a first release.',
      values: ['yes', 'conditional', 'no']
    },
    changes: {
      description:
        'The changes as a JSON array of `{id, kind, subject, what, verdict}`, the worst first. Of very many, those that fit; plan.json has all.'
    },
    conditions: {
      description: 'What must be true of the data for the way there and back, as a JSON array. `[]` when nothing.'
    },
    exists: {
      description: 'Whether there is something to compare with: `false` for a first release.',
      values: ['true', 'false']
    },
    plan: { description: 'The path of plan.json: what was found out and why.' },
    'plan-digest': { description: 'The SHA-256 of the plan, in hex: whoever approves a plan approves this.' },
    'module-hash': { description: 'The hash (keccak256, hex) of the module.' },
    'previous-module-hash': {
      description: 'The hash of the module that it was compared with. Not set when there was none.'
    },
    'database-identity': { description: 'The identity of the database.' },
    identity: { description: 'Who the credential is to the server: an identity. Not set without one.' },
    'previous-module': {
      description:
        'With `mode: apply`, the path of the file with the module that was live before, taken from the database itself.'
    },
    ...ledgerOutputs,
    'artifact-id': { description: 'The id of the artifact with plan.json.' }
  },
  firstOutputs: { result: 'failed' },
  rules: [
    {
      about: ['module', 'artifact'],
      holds: ({ module, artifact }) => (module === undefined) !== (artifact === undefined),
      message:
        "Give one module: the input `module` (a file, such as the output `module` of `build-module`) or `artifact` (the name of `build-module`'s artifact of this run)."
    },
    {
      about: ['server', 'database'],
      holds: ({ server, database }) => (server === undefined) === (database === undefined),
      message: 'The inputs `server` and `database` go together: give both, or neither.'
    },
    {
      about: ['server', 'base-module', 'base-ref'],
      holds: ({ server, baseModule, baseRef }) =>
        [server, baseModule, baseRef].filter((given) => given !== undefined).length <= 1,
      message:
        'Give one thing to compare with: `server` with `database`, or `base-module`, or `base-ref`. They exclude each other.'
    },
    {
      about: ['token', 'auth'],
      holds: ({ token, auth }) => token === undefined || auth === undefined,
      message: 'Give one credential: the input `token` or `auth: oidc`, not both.'
    },
    audienceRule,
    {
      about: ['mode', 'plan', 'server', 'token', 'auth'],
      holds: ({ mode, plan, server, token, auth }) =>
        mode === 'plan' || (plan !== undefined && server !== undefined && (token !== undefined || auth !== undefined)),
      message:
        'With `mode: apply` give the approved plan (`plan`), `server`, `database`, and the credential of the owner (`token` or `auth: oidc`). A `token` from a secret that is not set is empty and counts as not given.'
    },
    {
      about: ['mode', 'plan', 'plan-digest', 'steps-before', 'steps-after'],
      holds: ({ mode, plan, planDigest, stepsBefore, stepsAfter }) =>
        mode === 'apply' || [plan, planDigest, stepsBefore, stepsAfter].every((given) => given === undefined),
      message:
        'The inputs `plan`, `plan-digest`, `steps-before` and `steps-after` go with `mode: apply` only: leave them out, or set it.'
    },
    {
      about: ['mode', 'environment', 'on-drift'],
      holds: ({ mode, environment, onDrift }) => mode === 'apply' || (environment === undefined && onDrift === 'adopt'),
      message: 'The inputs `environment` and `on-drift` go with `mode: apply` only: leave them out, or set it.'
    },
    {
      about: ['mode', 'report-only'],
      holds: ({ mode, reportOnly }) => mode === 'plan' || !reportOnly,
      message: 'The input `report-only` goes with `mode: plan` only.'
    }
  ],
  post: true
})
