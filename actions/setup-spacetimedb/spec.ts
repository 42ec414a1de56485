import { choice, flag, matching, text } from '../../src/action/input-types.ts'
import { archiveInputs } from '../../src/action/install-inputs.ts'
import { defineAction } from '../../src/action/spec.ts'
import { installSources } from '../../src/setup/install.ts'
import { allowedVersions } from '../../src/setup/version-request.ts'

export const spec = defineAction({
  name: 'setup-spacetimedb',
  title: 'Set up SpacetimeDB',
  description:
    "Puts the `spacetime` CLI of the module's own version on PATH, checked by its digest, and starts a throw-away server where that is wanted.",
  branding: { icon: 'download-cloud', color: 'purple' },
  permissions: [],
  inputs: {
    version: {
      description:
        "The version of SpacetimeDB. With `auto` it is that of the module's bindings, from its lock file (`Cargo.lock`, `package-lock.json`, `pnpm-lock.yaml`, `yarn.lock`, `bun.lock`, `packages.lock.json`), else the newest that its manifest allows.",
      schema: text(allowedVersions),
      default: 'auto'
    },
    path: {
      description:
        "The folder of the module's project, for `version: auto`. Without it, what `spacetime.json` names, else `spacetimedb` where that holds a project, else the workspace itself.",
      schema: text('a folder in the workspace, such as `server`')
    },
    start: {
      description:
        'Whether to start a server on a free port of this machine. It keeps everything in memory and is stopped at the end of the job.',
      schema: flag(),
      default: 'false'
    },
    server: {
      description: 'The server with which the CLI is to be logged in, by `token`. Later steps need no `--server` then.',
      schema: matching(
        /^(maincloud|local|https?:\/\/[^\s/]+\S*)$/i,
        'a URL such as `https://stdb.example.org`, or the nickname `maincloud` or `local`'
      )
    },
    token: {
      description:
        'The token of that server, from a secret. It is written to a file that this user alone can read, and removed at the end of the job.',
      schema: text('a token of the server'),
      secret: true
    },
    'allow-insecure': {
      description:
        'Whether the token may be for a server over plain `http://` that is not on this machine. Everybody on the way can read it then.',
      schema: flag(),
      default: 'false'
    },
    ...archiveInputs,
    'job-status': {
      description:
        'Not to be given: by it the last step knows whether the job failed, and then attaches the log of the server.',
      schema: choice('success', 'failure', 'cancelled'),
      expression: 'job.status'
    }
  },
  outputs: {
    version: { description: 'The version that was set up.' },
    source: {
      description:
        'Where it came from: `path` is a CLI that was in PATH before, `tool-cache` the cache of the machine, `cache` that of the repository.',
      values: installSources
    },
    cli: { description: 'The path of the CLI.' },
    'cli-config': {
      description:
        "The path of the CLI's configuration (`--config-path`), when it is logged in. It is gone after the job."
    },
    server: { description: 'The URL of the server that was started.' },
    token: { description: 'The token of the owner-to-be of databases on that server. It is masked in the log.' },
    identity: { description: 'The identity that the CLI is logged in as.' }
  },
  rules: [
    {
      about: ['server', 'token'],
      holds: ({ server, token }) => (server === undefined) === (token === undefined),
      message:
        'The inputs `server` and `token` go together: give both, to have the CLI logged in, or none. A `token` from a secret that is not set, as in a pull request from a fork, is empty and counts as not given.'
    },
    {
      about: ['start', 'server', 'token'],
      holds: ({ start, server, token }) => !start || (server === undefined && token === undefined),
      message:
        'With `start: true` the CLI is logged in at the server that is started: leave out the inputs `server` and `token`, or set up twice.'
    }
  ],
  post: true
})
