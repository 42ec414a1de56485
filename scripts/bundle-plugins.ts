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

/**
 * `@actions/http-client` loads undici for its `getAgentDispatcher`, which nothing calls but `@actions/github`. That
 * costs 400 kB and 50 ms of each start, so undici is loaded when it is used.
 */
export const lazyUndici: Plugin = {
  name: 'lazy undici',
  setup({ onResolve }) {
    const standIn = join(root, 'scripts', 'lazy-undici.js')
    onResolve({ filter: /^undici$/ }, ({ importer }) => (importer === standIn ? undefined : { path: standIn }))
  }
}
