import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { askProgram, type CacheTools, type LanguageCache, type NoDependencyCache } from './language-cache.ts'
import type { LockFile } from './lock-file.ts'
import type { ModuleProject } from './project.ts'

/**
 * What a package manager has downloaded. Not `node_modules`, which it makes from that: what lies in there may have been
 * changed by a package's own scripts.
 */
export async function nodeCache(
  project: ModuleProject,
  lock: LockFile | undefined,
  tools: CacheTools
): Promise<LanguageCache | NoDependencyCache> {
  if (await isFolder(join(project.folder, 'node_modules'))) {
    return { kind: 'none', reason: 'node_modules is there already' }
  }
  const node = await askProgram('node', ['--version'], project, tools)
  const { manager, store } = await storeOf(lock?.name, (program, ...args) => askProgram(program, args, project, tools))
  return { paths: [store], toolchain: `${node.split('.')[0]} ${manager}` }
}

type Store = { readonly manager: string; readonly store: string }

async function storeOf(
  lock: string | undefined,
  ask: (program: string, ...args: string[]) => Promise<string>
): Promise<Store> {
  switch (lock) {
    case 'pnpm-lock.yaml':
      return { manager: 'pnpm', store: await ask('pnpm', 'store', 'path') }
    case 'yarn.lock': {
      const version = await ask('yarn', '--version')
      const args = version.startsWith('1.') ? ['cache', 'dir'] : ['config', 'get', 'cacheFolder']
      return { manager: `yarn ${version.split('.')[0]}`, store: await ask('yarn', ...args) }
    }
    case 'bun.lock':
    case 'bun.lockb':
      return { manager: 'bun', store: await ask('bun', 'pm', 'cache') }
    default:
      return { manager: 'npm', store: join(await ask('npm', 'config', 'get', 'cache'), '_cacache') }
  }
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false
  )
}
