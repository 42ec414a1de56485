import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Files, readFiles, replaceFolder } from '../files.ts'
import { root } from '../repository.ts'
import { checksumsOf } from './checksums.ts'
import { commitFolder, git, signatureOf } from './tags.ts'
import { releaseTree } from './tree.ts'

export type ReleaseToMake = {
  /** `1.2.3` */
  readonly version: string
  /** `owner/name` */
  readonly repository: string
  /** The commit of this repository that it is made from. */
  readonly source: string
  readonly dist: string
  /** The folder to make it in: what was there is removed. */
  readonly out: string
}

/** What lies in the folder of a release. */
export type MadeRelease = {
  readonly commit: string
  /** A bare repository with that commit, tagged; and the same as one file, for `git fetch`. */
  readonly git: string
  readonly bundle: string
  /** The folder of what is attached to the release on GitHub: the archive of the tree, the list of packages, the digests of both. */
  readonly assets: string
}

/** Makes all of a release that is made without the right to publish it. The same commit makes the same release. */
export async function makeRelease({ version, repository, source, dist, out }: ReleaseToMake): Promise<MadeRelease> {
  const tree = await releaseTree({ dist, repository, source })
  rmSync(out, { recursive: true, force: true })
  const made = { git: join(out, 'git'), bundle: join(out, 'release.bundle'), assets: join(out, 'assets') }
  replaceFolder(join(out, 'tree'), tree)
  mkdirSync(made.git)
  git(made.git, ['init', '--quiet', '--bare'])
  const message = `Release ${version}\n\nMade from ${source}`
  const commit = commitFolder(made.git, join(out, 'tree'), message, signatureOf(root, source))
  git(made.git, ['tag', `v${version}`, commit])
  git(made.git, ['bundle', 'create', '--quiet', made.bundle, `refs/tags/v${version}`])
  writeAssets(made, version, tree)
  return { commit, ...made }
}

function writeAssets({ git: repository, assets }: Omit<MadeRelease, 'commit'>, version: string, tree: Files): void {
  mkdirSync(assets)
  const name = `stdb-actions-${version}`
  const archive = join(assets, `${name}.tar.gz`)
  git(repository, ['archive', '--format=tar.gz', `--prefix=${name}/`, `--output=${archive}`, `v${version}`])
  writeFileSync(join(assets, 'sbom.cdx.json'), tree.get('sbom.cdx.json') ?? '')
  writeFileSync(join(assets, 'SHA256SUMS'), checksumsOf(readFiles(assets)))
}
