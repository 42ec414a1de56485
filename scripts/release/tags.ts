import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/*
 * Nothing but Node and Git is needed here: what holds the right to write to the repository runs no code of packages.
 */

/** Who made a commit, and when (ISO 8601). */
export type Signature = { readonly name: string; readonly email: string; readonly date: string }

/** The signature of a commit of a repository, a folder. */
export function signatureOf(repository: string, commit: string): Signature {
  const format = ['show', '--no-patch', '--format=%an%n%ae%n%cI', commit]
  const [name = '', email = '', date = ''] = git(repository, format).split('\n')
  return { name, email, date }
}

/**
 * Puts a commit of the files of a folder into a repository, and answers its hash. It stands for itself: a release has no
 * history to download, and no workflow of ours. The same files, signature and message make the same commit.
 */
export function commitFolder(repository: string, folder: string, message: string, signature: Signature): string {
  const scratch = mkdtempSync(join(tmpdir(), 'release-index-'))
  try {
    const staging = { GIT_INDEX_FILE: join(scratch, 'index') }
    git(repository, ['-c', 'core.autocrlf=false', `--work-tree=${folder}`, 'add', '--all', '--force', '.'], staging)
    const tree = git(repository, ['write-tree'], staging)
    const { name, email, date } = signature
    return git(repository, ['commit-tree', tree, '-m', message], {
      GIT_AUTHOR_NAME: name,
      GIT_AUTHOR_EMAIL: email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: name,
      GIT_COMMITTER_EMAIL: email,
      GIT_COMMITTER_DATE: date
    })
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

export type PublishedTags = {
  /** The release's own tag: whether it was made now, or by an earlier try. */
  readonly release: { readonly tag: string; readonly made: boolean }
  /** `v1` and `v1.2`, where they lead to this release now. */
  readonly moved: readonly string[]
  /** Those that stay with a newer release. */
  readonly left: readonly string[]
}

/**
 * Tags a commit of a repository as a release, in another one, all at once: `v1.2.3`, which is never moved, and `v1`
 * and `v1.2` unless they lead to a newer release already. A version such as `1.2.3-rc.1` gets its own tag only. Throws
 * when the tag of the release leads to another commit, or when a branch has the name of one of the tags.
 */
export function publishTags(repository: string, remote: string, version: string, commit: string): PublishedTags {
  const [major, minor] = version.split('.')
  const tag = `v${version}`
  const there = remoteRefs(repository, remote)
  const known = there.get(`refs/tags/${tag}`)
  if (known !== undefined && known !== commit) {
    throw new Error(`${tag} is released already, as ${known}: a release is never changed. Release another version.`)
  }
  const moving = version.includes('-') ? [] : [`v${major}`, `v${major}.${minor}`]
  for (const name of [tag, ...moving]) {
    if (there.has(`refs/heads/${name}`)) throw new Error(`A branch is called ${name}, as the tag would be: remove it.`)
  }
  const newest = (name: string) => isNewest(tag, name, [...there.keys()])
  const moved = moving.filter(newest)
  const refs = [`${commit}:refs/tags/${tag}`, ...moved.map((name) => `+${commit}:refs/tags/${name}`)]
  git(repository, ['push', '--quiet', '--atomic', remote, ...refs])
  return { release: { tag, made: known === undefined }, moved, left: moving.filter((name) => !newest(name)) }
}

/** What branches and tags lead to; tags with an object of their own are followed to their commit. */
function remoteRefs(repository: string, remote: string): Map<string, string> {
  const lines = git(repository, ['ls-remote', '--heads', '--tags', remote]).split('\n')
  const refs = lines.filter(Boolean).map((line) => line.split('\t') as [string, string])
  return new Map(refs.map(([hash, name]) => [name.replace(/\^\{\}$/, ''), hash]))
}

/** Whether a moving tag, `v1` or `v1.2`, may lead to a release: none that is there is newer. */
function isNewest(tag: string, moving: string, refs: readonly string[]): boolean {
  const releases = refs.filter(
    (ref) => /^refs\/tags\/v\d+\.\d+\.\d+$/.test(ref) && ref.startsWith(`refs/tags/${moving}.`)
  )
  return releases.every((ref) => !isNewer(ref.slice('refs/tags/v'.length), tag.slice(1)))
}

/** Whether one version of the form `1.2.3` comes after another. */
function isNewer(one: string, other: string): boolean {
  const parts = other.split('.')
  const place = one.split('.').findIndex((part, index) => part !== parts[index])
  return place >= 0 && Number(one.split('.')[place]) > Number(parts[place])
}

/** The answer of git, without the last end of line. Throws what git says. */
export function git(repository: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const options = { cwd: repository, env: { ...process.env, ...env }, encoding: 'utf8' as const }
  return execFileSync('git', args, { ...options, maxBuffer: 100_000_000, stdio: ['ignore', 'pipe', 'pipe'] }).trimEnd()
}
