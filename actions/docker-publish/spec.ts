import { artifactNameText, choice, duration, flag, matching, text } from '../../src/action/input-types.ts'
import { defineAction } from '../../src/action/spec.ts'

export const spec = defineAction({
  name: 'docker-publish',
  title: 'Publish an image that serves a SpacetimeDB module',
  description:
    'Builds an image of a SpacetimeDB server with the module inside, tries it out, and pushes it; stores the module alone in the registry, too.',
  branding: { icon: 'box', color: 'purple' },
  permissions: [
    { name: 'contents', access: 'read', when: 'always, for `actions/checkout`' },
    { name: 'packages', access: 'write', when: "to push to ghcr.io with the job's token" }
  ],
  inputs: {
    module: {
      description: 'The compiled module, a file in the workspace.',
      schema: text('the path of a file, such as `target/wasm32-unknown-unknown/release/game.wasm`')
    },
    artifact: {
      description: "The name of `build-module`'s artifact of this run, with the module, instead of `module`.",
      schema: artifactNameText()
    },
    'build-in-image': {
      description:
        'Whether the image builds the module by itself, of a Rust project in the workspace (`path`), instead of `module` or `artifact`. It gets the files that Git tracks.',
      schema: flag(),
      default: 'false'
    },
    image: {
      description:
        'The name of the image, without a tag. Without it `ghcr.io/` and the name of the repository. Capital letters become small.',
      schema: text('a name such as `ghcr.io/owner/game`')
    },
    images: {
      description: 'Several names instead of `image`: one in each line or with commas between.',
      schema: text('names such as `ghcr.io/owner/game`')
    },
    tags: {
      description:
        'What the image is tagged with, in lines as docker/metadata-action has them: `type=semver,pattern={{version}}`, `type=ref,event=branch`, `type=ref,event=tag`, `type=ref,event=pr`, `type=sha`, `type=raw,value=…`, `type=schedule` (docs/docker-publish.md). Without it: the version of a Git tag such as `v1.2.3` (`1.2.3`, `1.2`, `1`; of a prerelease only the whole), the branch, `pr-N`, `sha-…`, and `latest` on the default branch.',
      schema: text('lines such as `type=raw,value=stable`')
    },
    labels: {
      description: 'More labels, or others than the action gives the image by itself: one `name=value` in each line.',
      schema: text('lines of `name=value`')
    },
    push: {
      description:
        'Whether to push. The image of a change that is not merged yet (a pull request, a merge queue) is built and not pushed, unless `push-pull-requests` says so.',
      schema: flag(),
      default: 'true'
    },
    'push-pull-requests': {
      description:
        'Whether to push for pull requests and merge queues too, as `pr-N` and `sha-…` alone. What comes from a fork is never pushed, with no event.',
      schema: flag(),
      default: 'false'
    },
    load: {
      description:
        "Whether to put the image into the engine of this machine, so that later steps can run it; of several platforms the engine's own.",
      schema: flag(),
      default: 'false'
    },
    smoke: {
      description:
        'Whether to run the image before a tag leads to it: its health check and what holds for every module have to pass.',
      schema: flag(),
      default: 'false'
    },
    'smoke-timeout': {
      description: 'How long the image may take to be healthy.',
      schema: duration({ min: 1000 }),
      default: '2m'
    },
    'module-artifact': {
      description:
        "Whether to push the module alone as well, as an artifact in the image's repository, to be fetched by its digest.",
      schema: flag(),
      default: 'false'
    },
    version: {
      description:
        "The version of SpacetimeDB in the image. With `auto` it is that of the module's bindings: as `build-module` noted it beside the module, else from the lock file of the project.",
      schema: matching(/^(auto|v?\d+\.\d+\.\d+(-[\w.]+)?)$/, '`auto` or a version such as `2.8.3`'),
      default: 'auto'
    },
    path: {
      description:
        "The folder of the module's project, for `version: auto`. Without it, where `build-module` would look.",
      schema: text('a folder in the workspace, such as `server`')
    },
    'server-image': {
      description:
        'The image that server and CLI are taken from, instead of `clockworklabs/spacetime:v` and the version.',
      schema: text('an image such as `clockworklabs/spacetime:v2.8.3`')
    },
    'base-image': {
      description: 'What server and module are put onto, instead of the base of the Dockerfile of this action.',
      schema: text('an image such as `debian:bookworm-slim`')
    },
    dockerfile: {
      description:
        'A Dockerfile of your own instead of the one of this action. It finds the module in its context, or, with `context`, in the named context `module`.',
      schema: text('the path of a file, such as `Dockerfile`')
    },
    context: {
      description:
        'The folder that your own Dockerfile is built from. Without it the one that the action makes, with the module, `manifest.json` and `entrypoint.sh`.',
      schema: text('the path of a folder, such as `.`')
    },
    'build-args': {
      description: 'Arguments of the build, one `NAME=value` in each line. Anybody can read them: not for secrets.',
      schema: text('lines of `NAME=value`')
    },
    secrets: {
      description:
        'Secrets of the build, one `id=value` in each line. They are masked, and reach the build by files that nobody else can read.',
      schema: text('lines of `id=value`'),
      secret: true
    },
    'secret-envs': {
      description: 'Secrets of the build that are in variables of the job, one `id=NAME` in each line.',
      schema: text('lines of `id=NAME`')
    },
    'secret-files': {
      description: 'Secrets of the build that are in files, one `id=path` in each line.',
      schema: text('lines of `id=path`')
    },
    target: {
      description: 'The stage of the Dockerfile to build. Without it the last one.',
      schema: text('the name of a stage')
    },
    network: {
      description:
        'The network of what the Dockerfile runs; that of this action needs none. Without it the one of the builder.',
      schema: choice('default', 'none', 'host')
    },
    platforms: {
      description:
        'The platforms to build for, with commas between. Without it the one of the builder. More than one needs `docker/setup-buildx-action`, and foreign ones `docker/setup-qemu-action` too.',
      schema: matching(
        /^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9]+)?(\s*[,\n]\s*[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9]+)?)*$/,
        'platforms such as `linux/amd64,linux/arm64`'
      )
    },
    builder: {
      description: 'The builder of buildx that builds. Without it the one that is in use.',
      schema: matching(/^[\w.-]+$/, 'the name of a builder')
    },
    'cache-from': {
      description:
        "Where layers are taken from, in lines as buildx has them; `none` for nowhere. Without it GitHub's cache, where there is one and the builder can use it.",
      schema: text('lines such as `type=gha`, or `none`')
    },
    'cache-to': {
      description: 'Where layers are kept, as `cache-from`.',
      schema: text('lines such as `type=gha,mode=max`, or `none`')
    },
    'no-cache': {
      description: 'Whether to build without any cache; what this step has built itself is not built twice.',
      schema: flag(),
      default: 'false'
    },
    pull: { description: 'Whether to look for newer base images each time.', schema: flag(), default: 'false' },
    provenance: {
      description:
        "The provenance that buildx attests, as it takes it. Without it buildx' own default. For GitHub's attestations see docs/docker-publish.md.",
      schema: text('`true`, `false` or `mode=max`')
    },
    sbom: {
      description: 'Whether buildx attests a list of what is in the image.',
      schema: text('`true`, `false` or `generator=…`')
    },
    registry: {
      description: 'The registry to log in to. Without it the one of the first image.',
      schema: matching(/^[a-z0-9.-]+(:\d+)?$/i, 'a host such as `ghcr.io`')
    },
    username: {
      description: 'Who logs in. For ghcr.io whoever started the run, without it.',
      schema: text('the name of a user')
    },
    password: {
      description:
        "The password or token to log in with. Without it: for ghcr.io the job's token, unless an earlier step has logged in there; elsewhere the login of an earlier step.",
      schema: text('a password or token'),
      secret: true
    },
    'github-token': {
      description: 'What is pushed to ghcr.io with, without `password`. It is sent to nothing but ghcr.io.',
      schema: text('a token of GitHub'),
      expression: 'github.token',
      secret: true
    }
  },
  outputs: {
    image: {
      description: 'The name of the first image, without a tag: `subject-name` of `actions/attest-build-provenance`.'
    },
    digest: {
      description:
        'The digest of the first image in its registry, `sha256:…`: `subject-digest` of `actions/attest-build-provenance`. Not set when nothing was pushed.'
    },
    tags: { description: 'All names with their tags, one in each line; of all images.' },
    pushed: { description: 'Whether it was pushed.', values: ['true', 'false'] },
    'module-artifact': {
      description: "The module's own artifact, `ghcr.io/owner/game@sha256:…`. Not set when it was not pushed."
    },
    'module-digest': { description: "The digest of the module's own artifact." },
    'module-hash': {
      description: 'The hash (keccak256, hex) of the module in the image. Not set when your own Dockerfile brings it.'
    }
  },
  firstOutputs: { pushed: 'false' },
  rules: [
    {
      about: ['module', 'artifact'],
      holds: ({ module, artifact }) => module === undefined || artifact === undefined,
      message: 'Give one module: the input `module` (a file) or `artifact` (of `build-module`), not both.'
    },
    {
      about: ['module', 'artifact', 'dockerfile', 'context', 'build-in-image'],
      holds: ({ module, artifact, dockerfile, context, buildInImage }) =>
        buildInImage || [module, artifact, dockerfile, context].some((given) => given !== undefined),
      message:
        'There is no module: give `module` (a file, such as the output `module` of `build-module`), `artifact` (the name of its artifact in this run), or `build-in-image: true`. Only a `dockerfile` of your own may bring the module by itself.'
    },
    {
      about: ['module', 'artifact', 'dockerfile', 'context', 'build-in-image'],
      holds: ({ module, artifact, dockerfile, context, buildInImage }) =>
        !buildInImage || [module, artifact, dockerfile, context].every((given) => given === undefined),
      message:
        'With `build-in-image: true` leave out `module`, `artifact`, `dockerfile` and `context`: the Dockerfile of this action builds the module.'
    },
    {
      about: ['module', 'artifact', 'module-artifact'],
      holds: ({ module, artifact, moduleArtifact }) =>
        !moduleArtifact || module !== undefined || artifact !== undefined,
      message: 'With `module-artifact: true` say which module: give `module` or `artifact`.'
    },
    {
      about: ['image', 'images'],
      holds: ({ image, images }) => image === undefined || images === undefined,
      message: 'Give `image` (one name) or `images` (several), not both.'
    },
    {
      about: ['dockerfile', 'context', 'server-image', 'base-image'],
      holds: ({ dockerfile, context, serverImage, baseImage }) =>
        (dockerfile === undefined && context === undefined) || (serverImage === undefined && baseImage === undefined),
      message:
        'The inputs `server-image` and `base-image` are for the Dockerfile of this action: leave them out, or say it in your own one (`build-args`).'
    },
    {
      about: ['push', 'push-pull-requests'],
      holds: ({ push, pushPullRequests }) => push || !pushPullRequests,
      message: 'The input `push-pull-requests: true` does not go with `push: false`: leave one of them out.'
    }
  ],
  post: true
})
