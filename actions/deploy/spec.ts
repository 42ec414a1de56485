import { checkInputs, checkOutputs, reportFolderInput } from '../../src/action/check-inputs.ts'
import {
  audienceRule,
  connectionInputs,
  gateInputs,
  planInputs,
  stepInputs
} from '../../src/action/connection-inputs.ts'
import { artifactNameText, choice, flag, matching, text } from '../../src/action/input-types.ts'
import { archiveInputs } from '../../src/action/install-inputs.ts'
import { ledgerInputs, ledgerOutputs } from '../../src/action/ledger-inputs.ts'
import { credentialRule, healthInputs, organizationInput, releaseChecksRule } from '../../src/action/release-inputs.ts'
import { defineAction } from '../../src/action/spec.ts'
import { results } from '../../src/release/deployment.ts'
import { releaseOutputs } from '../release-outputs.ts'

export const spec = defineAction({
  name: 'deploy',
  title: 'Deploy a SpacetimeDB module',
  description:
    'Brings a module to a SpacetimeDB database: built, judged before, checked after, rolled back when it is not healthy.',
  branding: { icon: 'upload-cloud', color: 'purple' },
  permissions: [
    { name: 'contents', access: 'read', when: 'for `actions/checkout`, and to build' },
    { name: 'id-token', access: 'write', when: 'with `auth: oidc`' },
    {
      name: 'deployments',
      access: 'write',
      when: 'to write releases down in the deployments of the repository; without it that is left out, with a warning'
    },
    {
      name: 'packages',
      access: 'write',
      when: 'with `publish-image` on ghcr.io; `read` with a private `from-image` there'
    }
  ],
  inputs: {
    server: {
      ...connectionInputs.server,
      description:
        'The SpacetimeDB server. It may be left out with an `environment` whose `spacetime.<environment>.json` names it.'
    },
    database: {
      ...connectionInputs.database,
      description: 'The database to deploy to. It may be left out as `server` may.'
    },
    path: {
      description:
        'The folder of the module to build, or one with a `spacetime.json`. It is built as `build-module` does it when neither `module`, `artifact` nor `from-image` is given; without `path` too, what `spacetime.json` says, else `spacetimedb`, else the workspace itself.',
      schema: text('a folder in the workspace, such as `server`')
    },
    module: {
      description:
        'Instead of building: the compiled module, a file in the workspace. Its kind, WebAssembly or JavaScript, is seen from what is in it.',
      schema: text('the path of a file, such as `target/wasm32-unknown-unknown/release/game.wasm`')
    },
    artifact: {
      description: "Instead of building: the name of `build-module`'s artifact of this run.",
      schema: artifactNameText()
    },
    'from-image': {
      description:
        "Instead of building: an image of this action's or `docker-publish`'s that says where its module is stored alone, or that artifact itself (output `module-artifact`). Best by its digest; where a tag leads now is told.",
      schema: text('such as `ghcr.io/owner/game@sha256:…`')
    },
    token: connectionInputs.token,
    auth: connectionInputs.auth,
    audience: connectionInputs.audience,
    'allow-insecure': connectionInputs['allow-insecure'],
    ...ledgerInputs,
    environment: {
      ...ledgerInputs.environment,
      description: `${ledgerInputs.environment.description} Where there is a \`spacetime.<environment>.json\`, that is laid over \`spacetime.json\`, as the CLI does it with \`--env\`.`
    },
    'github-token': {
      ...ledgerInputs['github-token'],
      description:
        "For the ledger of releases, for ghcr.io with `publish-image` and `from-image`, and with `rehearse` for the releases API. It is sent to nothing but GitHub's own services."
    },
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
    rehearse: {
      description:
        'With `live`, a release that is allowed is first tried on a throw-away server: the live module there is filled, migrated to the new one, checked, and brought back. When that goes wrong nothing is changed. From the live database it only reads.',
      schema: choice('live', 'none'),
      default: 'none'
    },
    seed: {
      description:
        'The YAML file that says what the database of a rehearsal is filled with (docs/rehearsal.md): calls, SQL, rows copied from the live one.',
      schema: text('the path of a file')
    },
    'publish-image': {
      description:
        'An image of a server with the module inside to make as well, as `docker-publish` does it: pushed before the module is published, by its digest, and tagged once the release is kept. The module alone is stored beside it.',
      schema: text(
        'names of images such as `ghcr.io/owner/game`, or `true` for `ghcr.io/` and the name of the repository'
      )
    },
    tags: {
      description:
        'What the image is tagged with, as `docker-publish` has it (docs/docker-publish.md): lines such as `type=semver,pattern={{version}}`. Without it the version of a Git tag, the branch, `sha-…`, and `latest` on the default branch.',
      schema: text('lines such as `type=raw,value=stable`')
    },
    username: {
      description:
        'Who logs in to the registry of `publish-image` or `from-image`. For ghcr.io whoever started the run.',
      schema: text('the name of a user')
    },
    password: {
      description:
        "The password or token to log in to the registry with. Without it for ghcr.io the job's token, unless an earlier step has logged in there; elsewhere the login of an earlier step.",
      schema: text('a password or token'),
      secret: true
    },
    version: {
      description:
        "The version of SpacetimeDB for `rehearse` and `publish-image`. With `auto` it is that of the module's bindings: as they were noted when it was built, else from the lock file of the project.",
      schema: matching(/^(auto|v?\d+\.\d+\.\d+(-[\w.]+)?)$/, '`auto` or a version such as `2.8.3`'),
      default: 'auto'
    },
    sha256: {
      ...archiveInputs.sha256,
      description: `With \`rehearse\`: ${lowerFirst(archiveInputs.sha256.description)}`
    },
    'releases-url': {
      ...archiveInputs['releases-url'],
      description: `With \`rehearse\`: ${lowerFirst(archiveInputs['releases-url'].description)}`
    },
    cache: {
      description:
        "Whether dependencies of a build and SpacetimeDB's archive for a rehearsal are kept in the cache of the repository (`actions/cache`).",
      schema: flag(),
      default: 'true'
    },
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
    ...ledgerOutputs,
    module: { description: 'The path of the module that was to be deployed.' },
    image: { description: 'With `publish-image`: the name of the first image, without a tag.' },
    digest: {
      description:
        'The digest of that image, `sha256:…`. Set as soon as it is pushed, whatever becomes of the release: see `pushed`.'
    },
    pushed: {
      description: 'With `publish-image`: whether the image was pushed, and its tags moved to it.',
      values: ['true', 'false']
    },
    'module-artifact': {
      description:
        "The module's own artifact in a registry, `ghcr.io/owner/game@sha256:…`: with `publish-image` and `from-image`."
    },
    rehearsal: { description: 'With `rehearse`, the path of the report of the rehearsal as JSON.' },
    ...checkOutputs,
    passed: {
      description: `${checkOutputs.passed.description} This and the other outputs about checks are set when checks were run, or a soak.`
    }
  },
  firstOutputs: { result: 'failed' },
  rules: [
    {
      about: ['server', 'environment'],
      holds: ({ server, environment }) => server !== undefined || environment !== undefined,
      message:
        'Input `server` is missing: give a URL such as `https://stdb.example.org`, or the nickname `maincloud` or `local`, under `with:`; or an `environment` whose `spacetime.<environment>.json` names it.'
    },
    {
      about: ['database', 'environment'],
      holds: ({ database, environment }) => database !== undefined || environment !== undefined,
      message:
        'Input `database` is missing: give a name of lower-case letters, digits and single dashes between them, or an identity of 64 hex digits, under `with:`; or an `environment` whose `spacetime.<environment>.json` names it.'
    },
    {
      about: ['path', 'module', 'artifact', 'from-image'],
      holds: ({ path, module, artifact, fromImage }) =>
        [path, module, artifact, fromImage].filter((given) => given !== undefined).length <= 1,
      message:
        'Give one module: one of the inputs `path` (to build), `module` (a file), `artifact` (of `build-module`) and `from-image`, or none of them to build the project of the workspace.'
    },
    {
      about: ['from-image', 'publish-image'],
      holds: ({ fromImage, publishImage }) => fromImage === undefined || publishImage === undefined,
      message: 'Give `from-image` or `publish-image`, not both: what `from-image` names is in a registry already.'
    },
    {
      about: ['rehearse', 'seed', 'sha256', 'releases-url'],
      holds: ({ rehearse, seed, sha256, releasesUrl }) =>
        rehearse === 'live' || [seed, sha256, releasesUrl].every((given) => given === undefined),
      message: 'The inputs `seed`, `sha256` and `releases-url` go with `rehearse: live` only.'
    },
    {
      about: ['publish-image', 'tags'],
      holds: ({ publishImage, tags }) => publishImage !== undefined || tags === undefined,
      message: 'The input `tags` goes with `publish-image` only: say which image is to be tagged.'
    },
    {
      about: ['publish-image', 'from-image', 'username', 'password'],
      holds: ({ publishImage, fromImage, username, password }) =>
        publishImage !== undefined || fromImage !== undefined || (username === undefined && password === undefined),
      message:
        'The inputs `username` and `password` are for the registry of `publish-image` or `from-image`. The credential of the server is `token`, or `auth: oidc`.'
    },
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

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
