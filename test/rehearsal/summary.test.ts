import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import type { Rehearsal } from '../../src/rehearsal/rehearsal.ts'
import { rehearsalJson, rehearsalJsonSchema } from '../../src/rehearsal/report-json.ts'
import { renderRehearsal } from '../../src/rehearsal/summary.ts'
import type { Deployment } from '../../src/release/deployment.ts'
import { wasm } from '../server/world.ts'

const hostile = '<img src=x> @team `|` [a](https://b) \n# no'

const rehearsal: Rehearsal = {
  outcome: { kind: 'failed', stage: 'seed', reason: hostile, isConfiguration: false },
  old: { kind: 'base', name: hostile, hash: wasm('counter').hash },
  moduleHash: wasm('counter-additive').hash,
  tables: [
    { name: hostile, rows: { production: 2n ** 60n, filled: 3n }, copy: { kind: 'not-copied', reason: hostile } },
    {
      name: 'player',
      rows: { production: 5n },
      copy: { kind: 'copied', rows: 2, isCut: true, limit: 2, masked: [hostile], hasNegativeZeros: false }
    }
  ],
  seed: [{ line: 3, what: hostile, detail: hostile }],
  wayBack: { kind: 'failed', reason: hostile },
  limits: [hostile],
  milliseconds: 1234
}

test('texts from outside show as they are, and do nothing', () => {
  const markdown = renderRehearsal(rehearsal)
  const withoutCode = markdown.replace(/(`+).*?\1/g, '')
  expect(withoutCode).not.toMatch(/(?<!\\)<|@team|(?<!\\)\[a|^# no/m)
  expect(markdown).toContain('❌ The rehearsal failed at: filling the database')
  expect(markdown).toContain(`${2n ** 60n}`)
})

test.each([
  [{ kind: 'passed' }, 'the migration works'],
  [{ kind: 'cancelled', stage: 'checks' }, 'was cancelled at: the checks'],
  [{ kind: 'nothing-to-rehearse', reason: 'no artifact.' }, 'no artifact. What follows'],
  [{ kind: 'not-rehearsed', reason: 'why' }, 'could not be rehearsed'],
  [{ kind: 'failed', stage: 'way back', reason: 'why', isConfiguration: false }, 'failed at: the way back']
] as const)('the first lines say how it ended: %j', (outcome, text) => {
  const [headline, , second] = renderRehearsal({ ...rehearsal, outcome }).split('\n')
  expect(`${headline} ${second}`).toContain(text)
})

test('JSON has integers of any size exactly', () => {
  const parsed = JSON.parse(rehearsalJson(rehearsal))
  expect(parsed.tables[0].rows).toEqual({ production: `${2n ** 60n}`, filled: 3 })
})

test('the JSON Schema in schemas/ is that of the code', () => {
  const file = new URL('../../schemas/rehearsal-report.schema.json', import.meta.url)
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(rehearsalJsonSchema())))
})

test.each([
  ['live', 'the live module is this one already'],
  ['base', 'the module of the base branch is this one already']
] as const)('the same module is told to be that of the %s', (kind, text) => {
  const deployment = { result: 'unchanged', steps: [] } as unknown as Deployment
  const same = { ...rehearsal, old: { kind, name: 'x' }, outcome: { kind: 'passed' }, deployment } as const
  expect(renderRehearsal(same)).toContain(text)
})
