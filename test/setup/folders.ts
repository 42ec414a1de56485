import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll } from '@jest/globals'

/** Makes folders that are removed after the tests of a file; `files` by their paths. */
export function temporaryFolders(): (files?: Readonly<Record<string, string>>) => string {
  const top = mkdtempSync(join(tmpdir(), 'setup-'))
  let count = 0
  afterAll(() => rmSync(top, { recursive: true, force: true }))
  return (files = {}) => {
    const folder = join(top, String(++count))
    mkdirSync(folder)
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    return folder
  }
}
