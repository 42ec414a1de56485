import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { replaceFolder } from '../files.ts'
import { git } from './tags.ts'
import { releaseTree } from './tree.ts'

/** What a release may be to download, in bytes: every job that uses an action waits for it. */
export const sizeBudget = 1_000_000

/** The size of the release of a bundle as GitHub sends it (`git archive | gzip -6`), in bytes. */
export async function releaseSize(dist: string): Promise<number> {
  const scratch = mkdtempSync(join(tmpdir(), 'release-size-'))
  try {
    const archive = join(scratch, 'release.tar')
    const tree = join(scratch, 'tree')
    replaceFolder(tree, await releaseTree({ dist }))
    git(tree, ['init', '--quiet'])
    git(tree, ['-c', 'core.autocrlf=false', 'add', '--all', '--force'])
    git(tree, ['archive', `--output=${archive}`, git(tree, ['write-tree'])])
    return gzipSync(readFileSync(archive), { level: 6 }).length
  } finally {
    rmSync(scratch, { recursive: true })
  }
}
