import { createHash } from 'node:crypto'
import type { Files } from '../files.ts'

/** The digests of files as `sha256sum -c` takes them, in the order of their names. */
export function checksumsOf(files: Files): string {
  const names = [...files.keys()].sort()
  const digest = (name: string) =>
    createHash('sha256')
      .update(files.get(name) ?? '')
      .digest('hex')
  return names.map((name) => `${digest(name)}  ${name}\n`).join('')
}
