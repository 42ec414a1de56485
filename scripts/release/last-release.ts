import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../repository.ts'
import type { Accepted } from './compatibility.ts'
import type { Interface } from './interface.ts'

/** The files in a folder, `actions/` where it is left out, which say what was released last and what has changed since. */
export function lastRelease(folder = join(root, 'actions')): {
  readonly released: Interface | undefined
  readonly accepted: readonly Accepted[]
} {
  const read = (name: string) => {
    const path = join(folder, name)
    return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
  }
  return { released: read('last-release.json'), accepted: read('accepted-changes.json') ?? [] }
}

/** Makes an interface the released one; nothing has changed since. */
export function writeLastRelease(released: Interface, folder = join(root, 'actions')): void {
  writeFileSync(join(folder, 'last-release.json'), `${JSON.stringify(released, null, 2)}\n`)
  writeFileSync(join(folder, 'accepted-changes.json'), '[]\n')
}
