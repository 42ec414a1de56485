import { describe, expect, test } from '@jest/globals'
import type { Manifest } from '../../src/build/manifest.ts'
import { moduleNames, type ProducedModule } from '../../src/build/produce.ts'
import { type Comparison, type ModuleReport, renderFailure, renderModule } from '../../src/build/summary.ts'
import type { ModuleHash } from '../../src/module/hash.ts'
import type { Schema } from '../../src/module/schema.ts'

const hash = 'a'.repeat(64)
const manifest: Manifest = {
  tool: 'test',
  createdAt: '2026-11-25T15:00:00.000Z',
  module: { file: 'my-game.wasm', kind: 'wasm', hash, sha256: hash, size: 1000 },
  schema: { file: 'schema.json', sha256: hash },
  databases: [],
  language: 'rust',
  builder: 'toolchain',
  versions: {},
  project: '.',
  source: {}
}
const schema: Schema = {
  tables: [],
  reducers: [],
  procedures: [],
  views: [],
  types: [],
  typespace: [],
  httpRoutes: [],
  lifecycle: [],
  rowLevelSecurity: [],
  unknownParts: []
}

function report(change: Partial<ModuleReport> & { schema?: Partial<Schema> } = {}): string {
  const module: ProducedModule = {
    name: 'my-game',
    databases: [],
    folder: '/tmp',
    files: { module: '/tmp/m', schema: '/tmp/s', manifest: '/tmp/j' },
    manifest,
    schema: { ...schema, ...change.schema },
    hash: hash as ModuleHash,
    built: {
      kind: 'built',
      file: '/tmp/m',
      builder: 'toolchain',
      language: 'rust',
      tools: {},
      bindings: { kind: 'unknown', reason: '', lookedAt: [] },
      complaints: []
    }
  }
  const comparison: Comparison = { kind: 'none', reason: 'a tag' }
  return renderModule({ module, comparison, cache: 'none', bindings: [], bindingsMode: 'check', ...change })
}

test.each<[number, string, string]>([
  [900, 'b', '1,000 bytes, +100 bytes (+11.1 %) against `main` (`ccccccc`)'],
  [1250, 'b', '1,000 bytes, −250 bytes (−20.0 %) against `main` (`ccccccc`)'],
  [1000, 'b', '1,000 bytes, as in `main` (`ccccccc`)'],
  [1000, hash, '1,000 bytes, the very module of `main` (`ccccccc`)']
])('a module of 1000 bytes after one of %d', (size, before, text) => {
  const comparison: Comparison = { kind: 'base', branch: 'main', commit: 'c'.repeat(40), size, hash: before }
  expect(report({ comparison })).toContain(text)
})

test('long lists are cut, and whole in a fold', () => {
  const names = Array.from({ length: 20 }, (_, at) => `reducer_${at}`)
  const text = report({ schema: { reducers: names.map((name) => ({ name, parameters: [], visibility: 'client' })) } })
  expect(text).toContain('| 20 |')
  expect(text).toContain('and 8 more')
  for (const name of names) expect(text.split('<details>')[1]).toContain(`\`${name}\``)
})

test('a difference that is too long is cut, with its fence closed', () => {
  const target = { language: 'typescript', folder: 'client', options: [] } as const
  const diff = `--- a\n+++ b\n${'+x\n'.repeat(20_000)}`
  const text = report({ bindings: [{ target, changes: [{ file: 'client/index.ts', kind: 'changed', diff }] }] })
  expect(text.length).toBeLessThan(40_000)
  expect(text).toMatch(/```\n\n_\d+ characters more were cut\._/)
  expect(text.match(/^```/gm)).toHaveLength(2)
})

test('what compilers and paths say is shown, and is no markup', () => {
  const text = renderFailure('a`b', {
    kind: 'failed',
    builder: 'cli',
    reason: '<img src=x> @octocat',
    complaints: [{ severity: 'error', message: '</td>| <script>', place: { file: 'a|b.rs', line: 1 } }],
    output: '```\n</details>'
  })
  expect(text).not.toMatch(/(^|[^\\])<(img|script|\/td)/)
  expect(text).not.toContain('@octocat')
  expect(text).toContain('`a\\|b.rs:1`')
  expect(text).toContain('````text\n```\n</details>\n````')
})

describe('the names of modules', () => {
  const build = (folder: string, language: 'rust' | 'typescript', ...databases: string[]) => ({
    project: { folder, language },
    options: { debug: false, lintDir: 'src', nativeAot: false },
    databases: databases.map((name) => ({ name }))
  })
  test.each<[string, Parameters<typeof moduleNames>[0], string[]]>([
    ['are those of the database', [{ build: build('/w/x', 'rust', 'eu', 'us'), file: '/w/x/a.wasm' }], ['eu']],
    ['else of the crate', [{ build: build('/w/x', 'rust'), file: '/t/my_game.opt.wasm' }], ['my_game']],
    ['else of the folder', [{ build: build('/w/My Game', 'typescript'), file: '/w/bundle.js' }], ['My-Game']],
    ['not of a folder that all have', [{ build: build('/w/game/spacetimedb', 'typescript'), file: '/x.js' }], ['game']],
    [
      'each another',
      [
        { build: build('/w/a', 'rust'), file: '/w/a/x.wasm' },
        { build: build('/w/b', 'rust'), file: '/w/b/X.wasm' }
      ],
      ['x', 'X-2']
    ]
  ])('%s', (_, builds, names) => expect(moduleNames(builds)).toEqual(names))
})
