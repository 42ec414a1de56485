import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parse } from 'smol-toml'
import { parseChecks } from '../../src/smoke/checks-file.ts'
import { declarationsIn } from '../../src/source/source-lines.ts'
import { declaredInReadme } from './declared.ts'
import { example, filesOf, textOf } from './example.ts'

const source = textOf('spacetimedb/src/lib.rs')
const declared = declaredInReadme()

test('the README names the tables and reducers that the source declares', () => {
  const found = declarationsIn(source, 'rust')
  const tables = found.filter(({ kind }) => kind === 'table')
  expect(Object.fromEntries(tables.map(({ name, columns }) => [name, columns?.map((column) => column.name)]))).toEqual(
    declared.table
  )
  const reducers = found.filter(({ kind }) => kind === 'reducer').map(({ name }) => name)
  expect(reducers.sort()).toEqual(Object.keys(declared.reducer).sort())
})

test('every line that the module logs is a JSON object with an event that the README lists', () => {
  const logs = [...source.matchAll(/log::(\w+)!\(\s*"\{\}",\s*json!\(\{ "event": "(\w+)"/g)]
  expect(logs).toHaveLength([...source.matchAll(/log::\w+!/g)].length)
  const listed = [...textOf('README.md').matchAll(/^\| `(\w+)` \| (info|warn|error) \|/gm)]
  expect(logs.map(([, level, event]) => `${event} ${level}`).sort()).toEqual(
    listed.map(([, event, level]) => `${event} ${level}`).sort()
  )
})

test('all that is versioned has the version of the server', () => {
  const cargo = parse(textOf('spacetimedb/Cargo.toml')) as { dependencies: Record<string, string> }
  const [, version] = /^=(\d+\.\d+\.\d+)$/.exec(`${cargo.dependencies.spacetimedb}`) ?? []
  expect(textOf('Dockerfile')).toContain(`ARG SPACETIMEDB_VERSION=${version}\n`)
})

test('one database has one name', () => {
  const { database } = JSON.parse(textOf('spacetime.json'))
  expect(textOf('Dockerfile')).toContain(`SPACETIMEDB_DATABASE=${database} `)
  expect(textOf('compose.yaml')).toContain(`SPACETIMEDB_DATABASE: ${database}\n`)
})

test('the file of checks is one', () => {
  const path = '.spacetimedb/smoke.yml'
  const { checks } = parseChecks(Buffer.from(textOf(path)), path)
  expect(checks.length).toBeGreaterThan(0)
})

test('files that the README links to are there', () => {
  const linked = filesOf(/\.md$/).flatMap((page) =>
    [...textOf(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => join(example, page, '..', `${path}`))
  )
  expect(linked.length).toBeGreaterThan(0)
  expect(linked.filter((path) => !existsSync(path))).toEqual([])
})
