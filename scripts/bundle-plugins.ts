import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'
import { root } from './repository.ts'

/** Files that lie nowhere: `virtual:name` is the one of that name, as if it were in the root. */
export function virtualFiles(contents: ReadonlyMap<string, string>): Plugin {
  return {
    name: 'virtual files',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^virtual:/ }, ({ path }) => ({ path: path.replace('virtual:', ''), namespace: 'virtual' }))
      onLoad({ filter: /./, namespace: 'virtual' }, ({ path }) => ({
        contents: contents.get(path) ?? '',
        resolveDir: root
      }))
    }
  }
}

/**
 * Takes Node's own modules by a call. An `import` reads every export of them once, and with some that is work: of
 * `http` Node 24 makes its WebSocket, of undici, and of `crypto` all of WebCrypto, together about 40 ms.
 */
export const builtinsByCall: Plugin = {
  name: 'builtins by call',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /./ }, ({ path }) =>
      isBuiltin(path) ? { path: path.replace('node:', ''), namespace: 'node' } : undefined
    )
    onLoad({ filter: /./, namespace: 'node' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('node:${path}')`
    }))
  }
}

/** `@actions/artifact` gets a small `@actions/github` (stand-ins/actions-github.ts). */
export const smallGitHub: Plugin = {
  name: 'small github',
  setup({ onResolve }) {
    onResolve({ filter: /^@actions\/github$/ }, () => ({ path: join(root, 'scripts/stand-ins/actions-github.ts') }))
  }
}

/** What libraries import and never use in what we ask of them, with the names that they import. */
const unused: Readonly<Record<string, readonly string[]>> = {
  // `getAgentDispatcher` of `@actions/http-client`, which only the real `@actions/github` calls.
  undici: ['ProxyAgent'],
  // `findBy` of `@actions/artifact` in all but downloads; it hands them to `getOctokit`, which throws then.
  '@actions/github/lib/utils': ['defaults'],
  '@octokit/plugin-retry': ['retry'],
  '@octokit/plugin-request-log': ['requestLog'],
  // Of archiver, which is given single files here and makes zip archives of them.
  glob: ['sync'],
  'readdir-glob': [],
  'tar-stream': ['pack']
}

/** In place of each stands a function that throws, under all of those names. */
export const leaveUnusedOut: Plugin = {
  name: 'leave unused out',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /./ }, ({ path }) => (Object.hasOwn(unused, path) ? { path, namespace: 'unused' } : undefined))
    onLoad({ filter: /./, namespace: 'unused' }, ({ path }) => ({
      contents: [
        `module.exports = function () { throw new Error('${path} is not in the bundle: scripts/bundle-plugins.ts') }`,
        ...(unused[path] ?? []).map((name) => `module.exports.${name} = module.exports`)
      ].join('\n')
    }))
  }
}
