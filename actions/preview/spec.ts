import { checkInputs, checkOutputs, reportFolderInput } from '../../src/action/check-inputs.ts'
import { audienceRule, connectionInputs } from '../../src/action/connection-inputs.ts'
import { artifactNameText, choice, duration, flag, matching, text, wholeNumber } from '../../src/action/input-types.ts'
import { ledgerInputs } from '../../src/action/ledger-inputs.ts'
import { defineAction } from '../../src/action/spec.ts'
import { verdicts } from '../../src/migration/verdict.ts'
import { prefixForm } from '../../src/preview/preview.ts'

export const spec = defineAction({
  name: 'preview',
  title: 'Preview a pull request on a SpacetimeDB server',
  description:
    'Gives each pull request a database of its own with its module in it, filled and checked, and deletes it when the pull request is closed.',
  branding: { icon: 'eye', color: 'purple' },
  permissions: [
    { name: 'pull-requests', access: 'write', when: 'for the comment, and to see whether a pull request is open' },
    {
      name: 'deployments',
      access: 'write',
      when: 'with `ledger: github`: previews are written down, and what is something else is not touched'
    },
    { name: 'id-token', access: 'write', when: 'with `auth: oidc`; none is needed with a `token`' }
  ],
  inputs: {
    server: { ...connectionInputs.server, required: true },
    prefix: {
      description:
        "What the previews' names begin with: the preview of pull request 7 is the database `<prefix>-pr-7`. One of this repository's own, since a preview is known by its name: what has another name is never touched.",
      schema: matching(prefixForm, 'lower-case letters, digits and single dashes between them, such as `my-game`'),
      required: true
    },
    mode: {
      description:
        'What to do: create or `update` the preview of a pull request, `delete` it, or delete all that nobody needs any more (`cleanup`). Without it a closed pull request has its preview deleted, every other event of one updates it, and a `schedule` cleans up.',
      schema: choice('update', 'delete', 'cleanup')
    },
    'pull-request': {
      description: 'The number of the pull request, where the event is not about one.',
      schema: wholeNumber({ min: 1, max: 999_999_999 })
    },
    module: {
      description: 'The compiled module: a file in the workspace. Needed to create or update, or else `artifact`.',
      schema: text('the path of a file, such as `target/wasm32-unknown-unknown/release/game.wasm`')
    },
    artifact: {
      description: "The name of `build-module`'s artifact of this run, with the module, instead of `module`.",
      schema: artifactNameText()
    },
    token: {
      ...connectionInputs.token,
      description:
        "The token of the previews' owner, from a secret. Give either this or `auth: oidc`. Best one that owns nothing else. It is masked in the log and sent to nothing but the server. For a pull request from a fork there is none: then nothing is done, and the step passes."
    },
    auth: connectionInputs.auth,
    audience: connectionInputs.audience,
    'allow-insecure': connectionInputs['allow-insecure'],
    seed: {
      description:
        'The YAML file that says what a new preview is filled with (docs/rehearsal.md): calls and SQL. One that is there already keeps its data.',
      schema: text('the path of a file')
    },
    remake: {
      description:
        'Whether to delete the preview and make it anew, with nothing but the seed in it: where the module can not be brought to it otherwise (`needed`), each time (`always`), or not at all (`never`).',
      schema: choice('needed', 'always', 'never'),
      default: 'needed'
    },
    'health-check': {
      description:
        'The reducer or procedure, without parameters, that says whether the preview is healthy. `auto` calls `health_check` when the module has one.',
      schema: text('`auto`, `none`, or the name of a reducer or procedure of the module'),
      default: 'auto'
    },
    'health-timeout': {
      description: 'How long the health check may take, all tries together.',
      schema: duration({ min: 100, max: 3_600_000 }),
      default: '30s'
    },
    checks: {
      ...checkInputs.checks,
      description: `${checkInputs.checks.description} Those that change data (\`writes: true\`) may do so: a preview is there for it.`
    },
    'inline-checks': checkInputs['inline-checks'],
    'allowed-load-hosts': checkInputs['allowed-load-hosts'],
    'report-folder': reportFolderInput,
    'max-age': {
      description:
        'For `cleanup`: previews of open pull requests go too when for so long nothing happened to the pull request, nor was anything published. Without it they stay as long as the pull request is open.',
      schema: duration({ min: 3_600_000, max: 365 * 24 * 3_600_000 })
    },
    comment: {
      description: 'Whether to keep one comment on the pull request that says where its preview is.',
      schema: flag(),
      default: 'true'
    },
    'dry-run': {
      description: 'Whether to say what would be done, and change nothing.',
      schema: flag(),
      default: 'false'
    },
    environment: ledgerInputs.environment,
    ledger: ledgerInputs.ledger,
    'github-token': {
      ...ledgerInputs['github-token'],
      description: "For the ledger, the comment and the state of pull requests. It is sent to nothing but GitHub's API."
    }
  },
  outputs: {
    result: {
      description:
        'How it ended. The job passes with `created`, `updated`, `unchanged`, `remade` (deleted and made anew), `deleted`, `absent` (there was none to delete), `cleaned-up`, `planned` (a dry run) and `skipped` (a fork has no credential, or by `pull_request_target` one that it should not have; or the pull request was closed, or opened again, meanwhile). It fails with `refused` (what has the name is no preview of this identity), `unhealthy`, `failed` and `unknown`.',
      values: [
        'created',
        'updated',
        'unchanged',
        'remade',
        'deleted',
        'absent',
        'cleaned-up',
        'planned',
        'skipped',
        'refused',
        'unhealthy',
        'failed',
        'unknown'
      ]
    },
    database: { description: "The preview's name. Not set by `cleanup`." },
    url: { description: 'The address of the preview: `<server>/v1/database/<name>`. Set while it is there.' },
    'database-identity': { description: 'The identity of the database.' },
    'pull-request': { description: 'The number of the pull request. Not set by `cleanup`.' },
    'is-new': {
      description: 'Whether the preview was made by this step, and so has nothing but its seed in it.',
      values: ['true', 'false']
    },
    verdict: { description: 'What the module does to clients of the preview that was there before.', values: verdicts },
    'module-hash': { description: 'The hash (keccak256, hex) of the module that was to be shown.' },
    identity: { description: 'Who the credential is to the server: an identity.' },
    deleted: {
      description: 'The names of the previews that were deleted, as a JSON array; with `dry-run` those that would be.'
    },
    kept: {
      description:
        'Of `cleanup`: the previews that are still there, as a JSON array of objects with `database` and `reason`.'
    },
    ...checkOutputs,
    passed: {
      description: `${checkOutputs.passed.description} This and the other outputs about checks are set when checks were run.`
    }
  },
  firstOutputs: { result: 'failed' },
  rules: [
    {
      about: ['token', 'auth'],
      holds: ({ token, auth }) => token === undefined || auth === undefined,
      message: 'Give one credential: the input `token` or `auth: oidc`, not both.'
    },
    audienceRule,
    {
      about: ['module', 'artifact'],
      holds: ({ module, artifact }) => module === undefined || artifact === undefined,
      message: 'Give one module: the input `module` (a file) or `artifact` (of `build-module`), not both.'
    },
    {
      about: ['checks', 'inline-checks', 'allowed-load-hosts', 'report-folder'],
      holds: ({ checks, inlineChecks, allowedLoadHosts, reportFolder }) =>
        [checks, inlineChecks].some((given) => given !== undefined) ||
        (allowedLoadHosts === undefined && reportFolder === undefined),
      message: 'The inputs `allowed-load-hosts` and `report-folder` go with `checks` or `inline-checks` only.'
    }
  ],
  post: true
})
