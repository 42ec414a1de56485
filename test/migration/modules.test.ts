import { beforeAll, describe, expect, test } from '@jest/globals'
import { diffSchemas, verdictOf } from '../../src/migration/diff.ts'
import { judge } from '../../src/migration/judgement.ts'
import { renderPlan } from '../../src/migration/render.ts'
import type { Reversible, Verdict } from '../../src/migration/verdict.ts'
import { judgeWayBack } from '../../src/migration/way-back.ts'
import { describeModule } from '../../src/module/describe.ts'
import { moduleFromBytes } from '../../src/module/load.ts'
import type { Schema } from '../../src/module/schema.ts'
import { fixtureModule } from '../fixtures.ts'

/** What replacing counter.wasm by a module means, and whether it can be taken back. */
const releases: readonly (readonly [string, Verdict, Reversible])[] = [
  ['counter-additive', 'compatible', 'conditional'],
  ['counter-new-columns', 'breaks-clients', 'no'],
  ['counter-reducer-param', 'breaks-clients', 'yes'],
  ['counter-column-type', 'manual', 'no'],
  ['counter-column-removed', 'manual', 'no'],
  ['counter-unhealthy', 'none', 'yes'],
  ['counter-panics', 'none', 'yes'],
  ['counter-slow', 'compatible', 'yes'],
  ['counter-init-fails', 'none', 'yes']
]

const others = ['rich', 'odd-names']
const schemas = new Map<string, Schema>()

beforeAll(async () => {
  for (const name of ['counter', ...releases.map(([name]) => name), ...others]) {
    schemas.set(name, await describeModule(moduleFromBytes(fixtureModule(`${name}.wasm`))))
  }
})

function schemaOf(name: string): Schema {
  const schema = schemas.get(name)
  if (schema === undefined) throw new Error(`${name} was not described`)
  return schema
}

describe('real modules, described offline', () => {
  test.each(releases)('counter → %s: %s, reversible: %s', (name, verdict, reversible) => {
    expect(verdictOf(diffSchemas(schemaOf('counter'), schemaOf(name)))).toBe(verdict)
    expect(judgeWayBack(schemaOf('counter'), schemaOf(name)).reversible).toBe(reversible)
  })

  test('counter-additive can be taken back while its new table is empty', () => {
    const { conditions } = judgeWayBack(schemaOf('counter'), schemaOf('counter-additive'))
    expect(conditions).toEqual([{ kind: 'table-empty', table: 'audit' }])
  })

  test.each(others)('%s in place of counter takes away all that was there, and renders', (name) => {
    const changes = diffSchemas(schemaOf('counter'), schemaOf(name))
    expect(verdictOf(changes)).toBe('breaks-clients')
    const text = renderPlan({ ...judge(changes), changes, wayBack: judgeWayBack(schemaOf('counter'), schemaOf(name)) })
    for (const { id } of changes) expect(text).toContain(id)
  })
})
