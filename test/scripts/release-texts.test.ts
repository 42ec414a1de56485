import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { notesOf, withRelease } from '../../scripts/release/changelog.ts'
import { checksumsOf } from '../../scripts/release/checksums.ts'
import { movedLinks } from '../../scripts/release/links.ts'
import { majorsNamedIn, withRepository } from '../../scripts/release/own-name.ts'

const root = resolve(import.meta.dirname, '../..')

describe('the repository of a release', () => {
  test.each([
    ['uses: org/stdb-actions/deploy@v1', 'uses: acme/game-actions/deploy@v1'],
    ['https://github.com/org/stdb-actions.git#v1:docker', 'https://github.com/acme/game-actions.git#v1:docker'],
    ['`org/stdb-actions`.', '`acme/game-actions`.'],
    ['the-org/stdb-actions', 'the-org/stdb-actions'],
    ['org/stdb-actions-fork', 'org/stdb-actions-fork']
  ])('stands where the placeholder stood: %s', (text, replaced) => {
    expect(withRepository(text, 'acme/game-actions')).toBe(replaced)
  })

  test('is put in as it is', () => {
    expect(withRepository('org/stdb-actions', 'a/$&')).toBe('a/$&')
  })

  test.each([
    ['uses: org/stdb-actions/deploy@v1', [1]],
    ['org/stdb-actions@v2 and org/stdb-actions/deploy@v10', [2, 10]],
    ['https://github.com/org/stdb-actions/blob/v3/docs/x.md', [3]],
    ['https://raw.example.org/org/stdb-actions/v4/schemas/x.json', [4]],
    ['org/stdb-actions.git#v5:docker', [5]],
    ['org/stdb-actions/deploy@v1.2.3, actions/checkout@v7, org/stdb-actions/deploy@0123abc', []]
  ])('is named by major versions: %s', (text, majors) => {
    expect(majorsNamedIn(text)).toEqual(majors)
  })
})

describe('links of a file that moved', () => {
  const places: Readonly<Record<string, string>> = {
    'docs/deploy.md': 'docs/deploy.md',
    'actions/deploy/README.md': 'deploy/README.md',
    docs: 'docs'
  }
  const moved = (from: string, to: string, text: string) =>
    movedLinks(text, { from, to, placeOf: (path) => places[path], sources: 'https://example.org/blob/abc' })

  test.each([
    ['README.md', 'README.md', '[a](actions/deploy/README.md)', '[a](deploy/README.md)'],
    ['README.md', 'README.md', '[a](docs/)', '[a](docs)'],
    [
      'actions/deploy/README.md',
      'deploy/README.md',
      '[a](../../docs/deploy.md#results)',
      '[a](../docs/deploy.md#results)'
    ],
    [
      'docs/deploy.md',
      'docs/deploy.md',
      '[a](../actions/deploy/README.md) [b](#b)',
      '[a](../deploy/README.md) [b](#b)'
    ],
    [
      'docs/deploy.md',
      'docs/deploy.md',
      '[a](../CONTRIBUTING.md#x)',
      '[a](https://example.org/blob/abc/CONTRIBUTING.md#x)'
    ],
    ['README.md', 'README.md', '[a](https://example.org/docs/deploy.md)', '[a](https://example.org/docs/deploy.md)']
  ])('of %s, as %s: %s', (from, to, text, expected) => {
    expect(moved(from, to, text)).toBe(expected)
  })
})

describe('the changelog', () => {
  const changelog =
    '# Changelog\n\n## [Unreleased]\n\n- New.\n\n## [1.0.0] - 2026-01-01\n\nFirst.\n\n### Added\n\n- All.\n'

  test('has the notes of a version', () => {
    expect(notesOf(changelog, '1.0.0')).toBe('First.\n\n### Added\n\n- All.')
    expect(notesOf(changelog, '1.0.1')).toBeUndefined()
  })

  test('gets a version from what was not released yet', () => {
    const released = withRelease(changelog, '1.1.0', '2026-02-02')
    expect(notesOf(released, '1.1.0')).toBe('- New.')
    expect(notesOf(released, 'Unreleased')).toBeUndefined()
    expect(notesOf(released, '1.0.0')).toContain('- All.')
  })

  test('of this project has what a release needs', () => {
    const text = readFileSync(join(root, 'CHANGELOG.md'), 'utf8')
    expect(notesOf(withRelease(text, '999.0.0', '2026-01-01'), '999.0.0')).toBeDefined()
  })
})

test('digests are in the form of sha256sum', () => {
  const files = new Map([
    ['b/c', Buffer.from('abc')],
    ['a', Buffer.from('')]
  ])
  expect(checksumsOf(files)).toBe(
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\nba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b/c\n'
  )
})
