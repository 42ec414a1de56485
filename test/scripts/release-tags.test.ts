import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import { commitFolder, git, publishTags } from '../../scripts/release/tags.ts'
import { node24 } from '../runner/node24.ts'

const root = resolve(import.meta.dirname, '../..')
const scratch = mkdtempSync(join(tmpdir(), 'tags-'))
const signature = { name: 'Ada', email: 'ada@example.org', date: '2026-01-02T03:04:05+01:00' }
let remote: string
let here: string

beforeEach(() => {
  const folder = mkdtempSync(join(scratch, 'case-'))
  ;[remote, here] = [join(folder, 'remote.git'), join(folder, 'here')]
  for (const each of [remote, here]) git(folder, ['init', '--quiet', '--bare', each])
})

afterAll(() => rmSync(scratch, { recursive: true }))

/** A commit whose tree holds one text. */
function commitOf(text: string, repository = here): string {
  const folder = mkdtempSync(join(scratch, 'tree-'))
  mkdirSync(join(folder, 'dist'))
  writeFileSync(join(folder, 'dist', 'a.js'), text)
  return commitFolder(repository, folder, `Release ${text}`, signature)
}

function publish(version: string) {
  return publishTags(here, remote, version, commitOf(version))
}

/** What each tag of the remote repository leads to: the text of its release. */
function released(): Record<string, string> {
  const tags = git(remote, ['tag', '--list']).split('\n').filter(Boolean)
  return Object.fromEntries(tags.map((tag) => [tag, git(remote, ['show', `${tag}:dist/a.js`])]))
}

describe('the commit of a release', () => {
  test('is the same for the same files, and has no history', () => {
    const other = join(scratch, 'other.git')
    git(scratch, ['init', '--quiet', '--bare', other])
    expect(commitOf('same')).toBe(commitOf('same', other))
    expect(commitOf('same')).not.toBe(commitOf('different'))
    expect(git(here, ['show', '--no-patch', '--format=%P|%an|%cI', commitOf('same')])).toBe(
      '|Ada|2026-01-02T03:04:05+01:00'
    )
  })
})

describe('tags of releases', () => {
  test('are its own, and those that move', () => {
    expect(publish('1.2.3')).toEqual({ release: { tag: 'v1.2.3', made: true }, moved: ['v1', 'v1.2'], left: [] })
    expect(released()).toEqual({ v1: '1.2.3', 'v1.2': '1.2.3', 'v1.2.3': '1.2.3' })
  })

  test('move with a newer release', () => {
    for (const version of ['1.2.9', '1.2.10', '1.10.0', '2.0.0']) publish(version)
    expect(released()).toMatchObject({
      v1: '1.10.0',
      'v1.2': '1.2.10',
      'v1.10': '1.10.0',
      v2: '2.0.0',
      'v1.2.9': '1.2.9'
    })
  })

  test('stay with a newer release when an older one is mended', () => {
    for (const version of ['1.2.0', '1.3.0', '1.10.1']) publish(version)
    expect(publish('1.3.1')).toMatchObject({ moved: ['v1.3'], left: ['v1'] })
    expect(released()).toMatchObject({ v1: '1.10.1', 'v1.3': '1.3.1', 'v1.10': '1.10.1' })
  })

  test('do not move with a trial version, nor stay because of one', () => {
    publish('1.0.0')
    expect(publish('1.1.0-rc.1')).toMatchObject({ moved: [], left: [] })
    expect(released()).toMatchObject({ v1: '1.0.0', 'v1.1.0-rc.1': '1.1.0-rc.1' })
    expect(publish('1.0.1')).toMatchObject({ moved: ['v1', 'v1.0'] })
  })

  test('are no other when it is tried again', () => {
    publish('1.0.0')
    expect(publish('1.0.0')).toEqual({ release: { tag: 'v1.0.0', made: false }, moved: ['v1', 'v1.0'], left: [] })
  })

  test('of a release are never moved', () => {
    publish('1.0.0')
    expect(() => publishTags(here, remote, '1.0.0', commitOf('another'))).toThrow('v1.0.0 is released already')
    expect(released()).toMatchObject({ v1: '1.0.0', 'v1.0.0': '1.0.0' })
  })

  test('of a release are recognized when they have an object of their own', () => {
    const commit = commitOf('1.0.0')
    git(here, ['-c', 'user.name=A', '-c', 'user.email=a@b', 'tag', '--annotate', '--message=x', 'v1.0.0', commit])
    git(here, ['push', '--quiet', remote, 'v1.0.0'])
    expect(() => publishTags(here, remote, '1.0.0', commitOf('another'))).toThrow(`as ${commit}`)
  })

  test('are not made where a branch has their name', () => {
    git(here, ['push', '--quiet', remote, `${commitOf('branch')}:refs/heads/v1`])
    expect(() => publish('1.0.0')).toThrow('A branch is called v1')
    expect(released()).toEqual({})
  })
})

describe('the script that publishes', () => {
  const path = node24()
  const where = path === undefined ? test.skip : test

  where('needs a bundle, a remote and nothing installed', () => {
    const alone = mkdtempSync(join(scratch, 'alone-'))
    for (const file of ['scripts/publish-release.ts', 'scripts/release/tags.ts', 'src/errors.ts']) {
      cpSync(join(root, file), join(alone, file))
    }
    writeFileSync(join(alone, 'package.json'), '{ "type": "module" }')
    const commit = commitOf('1.0.0')
    git(here, ['tag', 'v1.0.0', commit])
    const bundle = join(alone, 'release.bundle')
    git(here, ['bundle', 'create', '--quiet', bundle, 'refs/tags/v1.0.0'])
    git(alone, ['init', '--quiet'])
    git(alone, ['remote', 'add', 'origin', remote])
    const args = ['scripts/publish-release.ts', '--version', '1.0.0', '--bundle', bundle]
    const run = () => spawnSync(String(path), args, { cwd: alone, encoding: 'utf8' })
    expect(run()).toMatchObject({ status: 0, stdout: expect.stringContaining('v1: leads to v1.0.0 now') })
    expect(released()).toEqual({ v1: '1.0.0', 'v1.0': '1.0.0', 'v1.0.0': '1.0.0' })
    expect(run()).toMatchObject({ status: 0, stdout: expect.stringContaining('v1.0.0: was there already') })
  })
})
