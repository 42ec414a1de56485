import { describe, expect, test } from '@jest/globals'
import { ConfigurationError } from '../../src/errors.ts'
import { imageNames } from '../../src/image/images.ts'
import { imageLabels } from '../../src/image/labels.ts'
import { pairsIn } from '../../src/image/pairs.ts'
import type { ModuleHash } from '../../src/module/hash.ts'

describe('images', () => {
  test.each([
    { text: 'ghcr.io/Octocat/Game', names: ['ghcr.io/octocat/game'] },
    { text: 'octocat/game', names: ['docker.io/octocat/game'] },
    { text: '127.0.0.1:5000/game\nghcr.io/o/g, ghcr.io/o/g', names: ['127.0.0.1:5000/game', 'ghcr.io/o/g'] }
  ])('$text', ({ text, names }) => {
    expect(imageNames(text, 'images').map(({ name }) => name)).toEqual(names)
  })

  test.each([
    { text: 'ghcr.io/o/g:latest', says: /`image`: ghcr\.io\/o\/g:latest has a tag.*`tags`/ },
    { text: `ghcr.io/o/g@sha256:${'0'.repeat(64)}`, says: /has a digest/ },
    { text: 'https://ghcr.io/o/g', says: /scheme/ },
    { text: 'ghcr.io/o//g', says: /wrong repository name/ },
    { text: ' , ', says: /names no image/ }
  ])('$text is refused', ({ text, says }) => {
    const read = () => imageNames(text, 'image')
    expect(read).toThrow(ConfigurationError)
    expect(read).toThrow(says)
  })
})

test('labels, and others that the user wants', () => {
  const hash = 'ab'.repeat(32) as ModuleHash
  const described = {
    title: 'game',
    description: undefined,
    source: 'https://github.com/octocat/game',
    commit: '7fd1a60',
    version: '1.2.3',
    created: 1700000000,
    module: { hash, kind: 'wasm', bindingsVersion: '2.8.3' }
  } as const
  expect(
    imageLabels(described, [
      ['org.opencontainers.image.title', 'Game'],
      ['team', 'a=b']
    ])
  ).toEqual([
    ['org.opencontainers.image.created', '2023-11-14T22:13:20Z'],
    ['org.opencontainers.image.title', 'Game'],
    ['org.opencontainers.image.url', 'https://github.com/octocat/game'],
    ['org.opencontainers.image.source', 'https://github.com/octocat/game'],
    ['org.opencontainers.image.revision', '7fd1a60'],
    ['org.opencontainers.image.version', '1.2.3'],
    ['dev.spacetimedb.module.hash', hash],
    ['dev.spacetimedb.module.kind', 'wasm'],
    ['dev.spacetimedb.module.bindings-version', '2.8.3'],
    ['team', 'a=b']
  ])
})

describe('pairs', () => {
  test('keep what follows the first =', () => {
    expect(pairsIn('A=1\n\n  B=x=y \nC=', 'build-args')).toEqual([
      ['A', '1'],
      ['B', 'x=y'],
      ['C', '']
    ])
  })

  test('a secret is not shown when it is wrong', () => {
    const read = () => pairsIn('a=1\nhunter2', 'secrets', { isSecret: true })
    expect(read).toThrow(/`secrets`: line 2 is no `NAME=value`/)
    expect(read).not.toThrow(/hunter2/)
    expect(() => pairsIn('hunter2', 'labels')).toThrow(/line 1, `hunter2`/)
  })
})
