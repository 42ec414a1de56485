import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { diffSchemas } from '../../src/migration/diff.ts'
import { waysAround } from '../../src/migration/way-around.ts'
import { schemaFromJson } from '../../src/module/schema-json.ts'
import { matrixCases, matrixSchema } from '../fixtures.ts'
import { arbitrarySchema } from './arbitrary-schema.ts'

const changesOf = (from: string, to: string) =>
  diffSchemas(schemaFromJson(matrixSchema(from, 10)), schemaFromJson(matrixSchema(to, 10)))

const impossible = [...new Map(matrixCases().map((item) => [`${item.from} → ${item.to}`, item])).entries()].filter(
  ([, { from, to }]) => changesOf(from, to).some(({ verdict }) => verdict === 'manual')
)

describe('a way around what is impossible in place', () => {
  test.each(impossible)('%s: is there for each table, and names what it is about', (_, { from, to }) => {
    const changes = changesOf(from, to).filter(({ verdict }) => verdict === 'manual')
    const ways = waysAround(changes)
    expect(ways.map(({ table }) => table).sort()).toEqual(
      [...new Set(changes.map((change) => change.subject.name))].sort()
    )
    for (const { instead, releases } of ways) expect(instead.length + releases.length).toBeGreaterThan(0)
    const text = JSON.stringify(ways)
    for (const change of changes) {
      if ('column' in change) expect(text).toContain(`\`${change.column}\``)
    }
  })

  test('is there for what is impossible, and for nothing else', () => {
    fc.assert(
      fc.property(arbitrarySchema, arbitrarySchema, (before, after) => {
        const changes = diffSchemas(before, after)
        const tables = changes.filter(({ verdict }) => verdict === 'manual').map(({ subject }) => subject.name)
        const ways = waysAround(changes)
        expect(ways.map(({ table }) => table).sort()).toEqual([...new Set(tables)].sort())
        for (const { instead, releases } of ways) expect(instead.length + releases.length).toBeGreaterThan(0)
      })
    )
  })

  test('is the smaller one beside the one that always works', () => {
    const [way] = waysAround(changesOf('base', 'column-type-sign'))
    expect(way?.instead.join('\n')).toMatch(/^Leave `\w+` a `\w+` and add `\w+_v2`: `\w+` \*\*last\*\*/)
    expect(way?.releases).toHaveLength(5)
    expect(way?.releases[0]).toMatch(
      /^\*\*Release 1\*\* \(`compatible`\): leave `\w+` as it is live and add `\w+_v2`, /
    )
  })
})
