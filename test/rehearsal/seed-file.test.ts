import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { parseSeed, readSeed } from '../../src/rehearsal/seed-file.ts'
import { seedJsonSchema } from '../../src/rehearsal/seed-schema.ts'

const parse = (yaml: string) => parseSeed(new TextEncoder().encode(yaml), 'seed.yml')

test('a file of seeds, with what is left out filled in', () => {
  const seed = parse(`
deadline: 30s
seed:
  - call: spawn
    args: [18446744073709551615, { some: x }]
    times: 10
  - sql: DELETE FROM audit
  - copy: player
    where: level > 3
    mask: [email]
  - copy: all
    limit: 5
    except: [audit]
`)
  expect(seed).toMatchObject({ path: 'seed.yml', deadline: 30_000 })
  expect(seed.entries).toEqual([
    {
      kind: 'call',
      reducer: 'spawn',
      args: [18446744073709551615n, { some: 'x' }],
      times: 10,
      place: { line: 4, column: 5 }
    },
    { kind: 'sql', statement: 'DELETE FROM audit', place: { line: 7, column: 5 } },
    {
      kind: 'copy',
      table: 'player',
      where: 'level > 3',
      limit: 1000,
      mask: ['email'],
      place: { line: 8, column: 5 }
    },
    { kind: 'copy-all', except: ['audit'], limit: 5, mask: [], place: { line: 11, column: 5 } }
  ])
})

describe('what is wrong is said with its place', () => {
  test.each([
    ['seed: []', /^seed\.yml:1:7: .*at least one/],
    ['seeds: []', /seed\.yml:1:1: .*Did you mean `seed`/s],
    ['seed:\n  - copy: t\n    limit: 1001', /^seed\.yml:3:12: .*from 0 to 1000/],
    ['seed:\n  - copy: t\n    masks: [a]', /^seed\.yml:3:5: .*Did you mean `mask`/],
    ['seed:\n  - copy: t\n    mask: a', /^seed\.yml:3:11: .*list of names/],
    ['seed:\n  - copy: t\n  - copy: t', /^seed\.yml:3:11: `copy: t` is there twice/],
    ['seed:\n  - copy: all\n    where: a > 1', /^seed\.yml:3:12: `where` is for one table/],
    ['seed:\n  - copy: t\n    except: [a]', /^seed\.yml:3:13: `except` is for `copy: all`/],
    ['seed:\n  - copy: t\n    where: "a = 1; DELETE FROM t"', /^seed\.yml:3:12: .*without `;` and comments/],
    ['seed:\n  - copy: t\n    where: "a = 1) -- "', /^seed\.yml:3:12: /],
    ['seed:\n  - call: r\n    times: 0', /^seed\.yml:3:12: .*from 1 to 100000/],
    ['seed:\n  - call: r\n    sql: x', /^seed\.yml:\d+:\d+: /],
    ['deadline: 3\nseed:\n  - call: r', /^seed\.yml:1:11: .*time with its unit/]
  ])('%j', (yaml, message) => {
    expect(() => parse(yaml)).toThrow(message)
  })

  test('a file that is not there', async () => {
    await expect(readSeed('/nowhere/seed.yml')).rejects.toThrow('There is no file of seeds /nowhere/seed.yml.')
  })
})

test('the JSON Schema in schemas/ is that of the code', () => {
  const file = new URL('../../schemas/seed.schema.json', import.meta.url)
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(seedJsonSchema())))
})
