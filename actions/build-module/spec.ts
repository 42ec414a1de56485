import { artifactNameText, choice, flag, matching, text, wholeNumber } from '../../src/action/input-types.ts'
import { defineAction } from '../../src/action/spec.ts'

export const spec = defineAction({
  name: 'build-module',
  title: 'Build a SpacetimeDB module',
  description:
    "Builds a module's project into one checked file with its schema and its origin, and keeps them as an artifact for later jobs.",
  branding: { icon: 'package', color: 'purple' },
  permissions: [
    { name: 'contents', access: 'read', when: 'always, for `actions/checkout`' },
    {
      name: 'actions',
      access: 'read',
      when: "to compare the module's size with that of the base branch; without it that is left out"
    }
  ],
  inputs: {
    path: {
      description:
        'The folder of the module, or one with a `spacetime.json`. Without it the `spacetime.json` of the workspace says what to build, else `spacetimedb` is built where that holds a project, else the workspace itself.',
      schema: text('a folder in the workspace, such as `server`')
    },
    environment: {
      description:
        'The environment of `spacetime.json`: what `spacetime.<environment>.json` says is laid over it, as the CLI does with `--env`.',
      schema: matching(/^[\w-]+$/, 'a name such as `staging`')
    },
    builder: {
      description:
        "What builds: `cli` is `spacetime build`; `toolchain` is the language's own tools, which need no CLI. `auto` takes the CLI when there is one.",
      schema: choice('auto', 'cli', 'toolchain'),
      default: 'auto'
    },
    cli: {
      description: 'The SpacetimeDB CLI, for `builder` and `bindings`. `setup-spacetimedb` puts it on PATH.',
      schema: text('the name of a program on PATH, or a path'),
      default: 'spacetime'
    },
    cache: {
      description:
        'Whether to keep downloaded and compiled dependencies in the cache of the repository (`actions/cache`). The module itself is never in it.',
      schema: flag(),
      default: 'true'
    },
    bindings: {
      description:
        'Generated client code in the repository that is to fit the module: lines of `language:folder`. Languages are `typescript`, `csharp`, `rust` and `unrealcpp`. Needs the CLI.',
      schema: text('lines such as `typescript:client/src/module_bindings`')
    },
    'bindings-mode': {
      description:
        'What to do with bindings that do not fit: `check` fails the job and shows the differences, `write` brings them up to date in the workspace.',
      schema: choice('check', 'write'),
      default: 'check'
    },
    'upload-artifact': {
      description:
        'Whether to keep the module, its schema and its manifest as an artifact of the run, so that later jobs use this very file.',
      schema: flag(),
      default: 'true'
    },
    'artifact-name': {
      description:
        'The name of the artifact: another one in each job of a run. With several modules it is followed by the name of each.',
      schema: artifactNameText(),
      default: 'module'
    },
    'retention-days': {
      description: "For how many days the artifact is kept. Without it the repository's setting holds.",
      schema: wholeNumber({ min: 1, max: 400 })
    },
    'github-token': {
      description:
        "For the comparison with the artifact of the base branch, which needs `actions: read`. It is sent to nothing but GitHub's API.",
      schema: text('a token of GitHub'),
      expression: 'github.token',
      secret: true
    }
  },
  outputs: {
    module: {
      description:
        'The path of the module: a copy outside of the workspace, in a folder of its own with `schema.json` and `module.json`. With several modules this output and those below are about the first; `modules` is about all.'
    },
    kind: { description: 'What the module is.', values: ['wasm', 'js'] },
    'module-hash': { description: "The module's hash (keccak256, hex), by which a server knows it." },
    sha256: { description: "The module's SHA-256, in hex." },
    size: { description: "The module's size in bytes." },
    schema: { description: 'The path of the JSON file with what the module declares.' },
    manifest: { description: 'The path of `module.json`: what the module was made of, and by what.' },
    language: { description: 'The language of the project.', values: ['rust', 'csharp', 'typescript', 'cpp'] },
    builder: { description: 'What built it.', values: ['cli', 'toolchain'] },
    'bindings-version': {
      description: "The version of SpacetimeDB's bindings, by the project's lock file. Not set when nothing tells it."
    },
    'artifact-name': { description: 'The name of the artifact. Not set with `upload-artifact: false`.' },
    'artifact-id': { description: 'The id of the artifact.' },
    'artifact-digest': { description: 'The digest of the archive of the artifact: `sha256:` and 64 hex digits.' },
    modules: {
      description:
        'All modules as a JSON array for the matrix of a job, one entry for each database of `spacetime.json`, or one without `database` where there is none.'
    }
  },
  rules: [
    {
      about: ['bindings', 'bindings-mode'],
      holds: ({ bindings, bindingsMode }) => bindings !== undefined || bindingsMode === 'check',
      message: 'The input `bindings-mode` goes with `bindings` only: say which bindings to write, or leave it out.'
    }
  ],
  post: true
})
