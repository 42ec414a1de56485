import { checkInputs, checkOutputs, reportFolderInput } from '../../src/action/check-inputs.ts'
import { audienceRule, connectionInputs, gateInputs, stepInputs } from '../../src/action/connection-inputs.ts'
import { artifactNameText, choice, matching, text } from '../../src/action/input-types.ts'
import { archiveInputs } from '../../src/action/install-inputs.ts'
import { ledgerInputs } from '../../src/action/ledger-inputs.ts'
import { defineAction } from '../../src/action/spec.ts'
import { allowedVersions } from '../../src/setup/version-request.ts'

/** Where checks are looked for when nothing says where. */
export const usualChecks = '.spacetimedb/smoke.yml'

/** What a database on a throw-away server is called when nothing says how. */
export const usualDatabase = 'smoke-test'

export const spec = defineAction({
  name: 'smoke-test',
  title: 'Smoke-test a SpacetimeDB module',
  description:
    'Checks that a module is alive and does what it should: on a throw-away server of a pull request, or where it was deployed.',
  branding: { icon: 'activity', color: 'purple' },
  permissions: [
    {
      name: 'actions',
      access: 'read',
      when: 'in pull requests with `server: local`, and with `rehearse: base`: for the module of the base branch'
    },
    { name: 'id-token', access: 'write', when: 'with `auth: oidc`' },
    { name: 'deployments', access: 'read', when: 'with `environment`: for the ledger of releases' }
  ],
  inputs: {
    server: {
      description:
        'The SpacetimeDB server with the database. Other than in the other actions, `local` is none that runs already: a throw-away server is started on a free port, gets the module, is checked, and is ended with the step. One that you started yourself is `http://127.0.0.1:3000`.',
      schema: matching(
        /^(maincloud|local|https?:\/\/[^\s/]+\S*)$/i,
        'a URL such as `https://stdb.example.org`, `maincloud`, or `local` for a throw-away server'
      ),
      required: true
    },
    database: {
      ...connectionInputs.database,
      description: 'The database to check. With `server: local` the name that it gets there, which may be left out.'
    },
    module: {
      description:
        'The compiled module, a file in the workspace: what is published with `server: local`, and what has to be live elsewhere.',
      schema: text('the path of a file, such as `target/wasm32-unknown-unknown/release/game.wasm`')
    },
    artifact: {
      description: "The name of `build-module`'s artifact of this run, with the module, instead of `module`.",
      schema: artifactNameText()
    },
    'module-hash': {
      description:
        "The hash of the module that has to be live, such as `deploy`'s output `module-hash`: enough where the module itself is not at hand.",
      schema: matching(/^[0-9a-f]{64}$/i, 'a hash: 64 hex digits')
    },
    environment: {
      ...ledgerInputs.environment,
      description:
        "The environment under which the database's releases are written down, in the repository's deployments. The module of the newest good one has to be live: so what somebody has published past the ledger is found. Without it that is not looked at."
    },
    token: {
      ...connectionInputs.token,
      description:
        "The token of the database's owner, from a secret. Give this, or `auth: oidc`, or neither: without a credential only what anyone may ask is asked. It is masked in the log and sent to nothing but the server."
    },
    auth: connectionInputs.auth,
    audience: connectionInputs.audience,
    'allow-insecure': connectionInputs['allow-insecure'],
    ...checkInputs,
    checks: {
      ...checkInputs.checks,
      description: `The YAML file of checks (docs/checks.md). Without it \`${usualChecks}\` where that is there, else what holds for every module.`
    },
    'allow-writes': {
      ...checkInputs['allow-writes'],
      description: `${checkInputs['allow-writes'].description} On a throw-away server they always may.`
    },
    rehearse: {
      description:
        'Rehearses the release on the throw-away server: the old module is filled, migrated to the new one as a deploy does it, checked, and brought back. `live` takes the module that is live (`live-server`, `live-database`), `base` the one that `build-module` kept for the branch that the pull request goes to; where there is none, it is a plain smoke test, as it is with `none`. Without the input it is `base` in pull requests with `server: local`, unless there is a `soak`, and `none` elsewhere; what keeps such a rehearsal from being begun (the gate, an old module that can not be published) is told, and a plain smoke test follows.',
      schema: choice('live', 'base', 'none')
    },
    'live-server': {
      ...connectionInputs.server,
      description:
        "The server with the live database, for `rehearse: live`. It is only read from, by `SELECT`s, for each of which the server runs the live module's `client_connected` and `client_disconnected`: without a credential what anyone may read, with that of the owner private tables too."
    },
    'live-database': { ...connectionInputs.database, description: 'The live database, for `rehearse: live`.' },
    'base-ref': {
      description:
        'The branch whose module is the old one, for `rehearse: base`. Without it the one that the pull request goes to.',
      schema: text('the name of a branch, such as `main`')
    },
    'artifact-name': {
      description: "The name of `build-module`'s artifact on that branch.",
      schema: artifactNameText(),
      default: 'module'
    },
    seed: {
      description:
        'The YAML file that says what the old database is filled with before it is migrated (docs/rehearsal.md): calls, SQL, rows copied from the live one.',
      schema: text('the path of a file')
    },
    ...gateInputs,
    ...stepInputs,
    'report-folder': reportFolderInput,
    version: {
      description:
        "The version of SpacetimeDB for `server: local`. With `auto` it is that of the module's bindings: as `build-module` noted it beside the module, else from the lock file of the project.",
      schema: text(allowedVersions),
      default: 'auto'
    },
    path: {
      description:
        "The folder of the module's project, for `version: auto`. Without it, where `build-module` would look.",
      schema: text('a folder in the workspace, such as `server`')
    },
    ...archiveInputs,
    'github-token': {
      ...archiveInputs['github-token'],
      description:
        'For the releases API of the GitHub that the job runs on, which answers few requests without one, for the module that `build-module` kept for the base branch, and for the ledger of releases. It is sent to nothing but GitHub.'
    }
  },
  outputs: {
    result: {
      description:
        'How it ended. The job passes with `passed` alone; `error`: no check of the module was run, for a reason that the error names, such as a migration that a rehearsal showed not to work.',
      values: ['passed', 'failed', 'error']
    },
    ...checkOutputs,
    rehearsal: {
      description:
        'With `rehearse`, the path of the report of the rehearsal as JSON. Not set when there was nothing to rehearse with.'
    },
    'module-hash': {
      description: 'The hash (keccak256, hex) of the module that had to be live. Not set when nothing said which.'
    }
  },
  firstOutputs: { result: 'error' },
  rules: [
    {
      about: ['server', 'database'],
      holds: ({ server, database }) => isThrowAway(server) || database !== undefined,
      message:
        'Input `database` is missing: say which database of the server is to be checked. Only with `server: local` it may be left out.'
    },
    {
      about: ['module', 'artifact'],
      holds: ({ module, artifact }) => module === undefined || artifact === undefined,
      message: 'Give one module: the input `module` (a file) or `artifact` (of `build-module`), not both.'
    },
    {
      about: ['environment', 'server', 'module', 'artifact', 'module-hash'],
      holds: ({ environment, server, module, artifact, moduleHash }) =>
        environment === undefined ||
        (!isThrowAway(server) && [module, artifact, moduleHash].every((given) => given === undefined)),
      message:
        'The input `environment` says which module has to be live, by the ledger of releases: leave out `module`, `artifact`, `module-hash` and `server: local`, or leave it out.'
    },
    {
      about: ['server', 'module', 'artifact'],
      holds: ({ server, module, artifact }) => !isThrowAway(server) || module !== undefined || artifact !== undefined,
      message:
        "With `server: local` say what to publish there: `module` (a file) or `artifact` (the name of `build-module`'s artifact of this run). A server that runs on this machine already is `http://127.0.0.1:3000`."
    },
    {
      about: ['server', 'token', 'auth', 'rehearse'],
      holds: ({ server, token, auth, rehearse }) =>
        !isThrowAway(server) || rehearse === 'live' || (token === undefined && auth === undefined),
      message:
        'With `server: local` leave out `token` and `auth`, unless they are for the live database of `rehearse: live`: a throw-away server has an owner of its own. A server that runs on this machine already is `http://127.0.0.1:3000`.'
    },
    {
      about: ['token', 'auth'],
      holds: ({ token, auth }) => token === undefined || auth === undefined,
      message: 'Give one credential: the input `token` or `auth: oidc`, not both.'
    },
    audienceRule,
    {
      about: ['server', 'rehearse'],
      holds: ({ server, rehearse }) => !isRehearsal(rehearse) || isThrowAway(server),
      message: 'The input `rehearse` goes with `server: local` only: a release is rehearsed on a throw-away server.'
    },
    {
      about: ['rehearse', 'live-server', 'live-database'],
      holds: ({ rehearse, liveServer, liveDatabase }) =>
        [liveServer, liveDatabase].every((given) => (given !== undefined) === (rehearse === 'live')),
      message: 'The inputs `rehearse: live`, `live-server` and `live-database` go together: give all three, or none.'
    },
    {
      about: ['rehearse', 'base-ref'],
      holds: ({ rehearse, baseRef }) => baseRef === undefined || rehearse === 'base',
      message: 'The input `base-ref` goes with `rehearse: base` only.'
    },
    {
      about: ['rehearse', 'seed', 'steps-before', 'steps-after'],
      holds: ({ rehearse, seed, stepsBefore, stepsAfter }) =>
        isRehearsal(rehearse) || [seed, stepsBefore, stepsAfter].every((given) => given === undefined),
      message:
        'The inputs `seed`, `steps-before` and `steps-after` go with `rehearse: live` or `rehearse: base` only: say which, or leave them out.'
    },
    {
      about: ['rehearse', 'soak'],
      holds: ({ rehearse, soak }) => !isRehearsal(rehearse) || soak === undefined,
      message: 'The input `soak` does not go with `rehearse`: after a rehearsal the new module is not live any more.'
    }
  ],
  post: true
})

/** Whether the input `server` asks for a throw-away server. */
export function isThrowAway(server: string): boolean {
  return server.toLowerCase() === 'local'
}

function isRehearsal(rehearse: 'live' | 'base' | 'none' | undefined): boolean {
  return rehearse === 'live' || rehearse === 'base'
}
