import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll } from '@jest/globals'

/** Texts of files, by their paths from a folder. */
export type Files = Readonly<Record<string, string>>

/** A folder for the tests of a file, and folders in it. */
export function scratch() {
  let root = ''
  let count = 0
  beforeAll(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'stdb-build-')))
  })
  afterAll(() => rm(root, { recursive: true, force: true }))
  return {
    /** A new folder with these files. */
    async folder(files: Files = {}): Promise<string> {
      const folder = join(root, `${count++}`)
      await mkdir(folder)
      await addFiles(folder, files)
      return folder
    }
  }
}

export async function addFiles(folder: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
    if (text.startsWith('#!')) await chmod(file, 0o755)
  }
}
