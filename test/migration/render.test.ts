import { describe, expect, test } from '@jest/globals'
import { diffSchemas } from '../../src/migration/diff.ts'
import { judge, type UsablePlan } from '../../src/migration/judgement.ts'
import { renderPlan } from '../../src/migration/render.ts'
import { judgeWayBack } from '../../src/migration/way-back.ts'
import type { Schema } from '../../src/module/schema.ts'
import { schemaFromJson } from '../../src/module/schema-json.ts'
import { matrixSchema } from '../fixtures.ts'
import { largeSchema } from './large-schema.ts'

function render(before: Schema, after: Schema, serverPlan?: UsablePlan, limit?: number): string {
  const changes = diffSchemas(before, after)
  const report = { ...judge(changes, serverPlan), changes, wayBack: judgeWayBack(before, after) }
  return renderPlan({ ...report, ...(serverPlan && { serverPlan }) }, limit === undefined ? {} : { limit })
}

function ofMatrix(name: string): Schema {
  return schemaFromJson(matrixSchema(name, 10))
}

function automatic(text: string): UsablePlan {
  return { kind: 'automatic', text, breaksClients: true, token: '0x1', majorVersionUpgrade: false }
}

describe('a rendered plan', () => {
  test.each([
    ['body', 'No change of the schema', 'can be rolled back'],
    ['table-add', 'Clients that run now keep working', 'can be rolled back on a condition'],
    ['reducer-param-type', 'Breaks clients that run now', 'can be rolled back'],
    ['column-add', 'Breaks clients that run now', 'can not be rolled back'],
    ['column-type-sign', "Can't be migrated in place", '']
  ])('of %s says the verdict in its first line', (name, verdict, wayBack) => {
    const [first] = render(ofMatrix('base'), ofMatrix(name)).split('\n')
    expect(first).toContain(verdict)
    expect(first).toContain(wayBack)
  })

  test.each([
    ['table-add', 'what is live can be deployed again on a condition', 'can be deployed again only while table recipe'],
    ['reducer-param-type', 'what is live can be deployed again', 'need those of the earlier release again'],
    ['column-add', 'what is live can not be deployed again', 'can not be deployed again in place. That would mean'],
    ['column-type-sign', "Can't be migrated in place", 'nothing changes for them']
  ])('of a way back, %s, speaks of what is live', (name, headline, says) => {
    const [before, after] = [ofMatrix('base'), ofMatrix(name)]
    const changes = diffSchemas(before, after)
    const report = { ...judge(changes), changes, wayBack: judgeWayBack(before, after) }
    const text = renderPlan(report, { direction: 'back' })
    expect(text.split('\n')[0]).toContain(headline)
    expect(text).toContain(says)
    expect(text).not.toMatch(/previous module|rolled back|What works instead/)
  })

  test('names before and after, and what the way back depends on', () => {
    const text = render(ofMatrix('base'), ofMatrix('table-add'))
    expect(text).toContain('only while table recipe is empty')
    expect(render(ofMatrix('base'), ofMatrix('column-add'))).toContain('`u32 with the default 9`')
    expect(render(ofMatrix('base'), ofMatrix('reducer-param-type'))).toMatch(/`\(.*price: u32\)` → `\(.*price: \w+\)`/)
  })

  test('names a table once for all of its changes', () => {
    const text = render(ofMatrix('base'), ofMatrix('two-column-and-variant'))
    expect(text.match(/^\| table `item` \|/gm)).toHaveLength(1)
    expect(text.match(/^\| *\| column/gm)?.length).toBeGreaterThan(0)
  })

  test('tells the worst first', () => {
    const text = render(ofMatrix('base'), ofMatrix('two-compatible-breaking'))
    const rows = text.split('\n').filter((line) => line.startsWith('|'))
    expect(rows[2]).toContain('breaks clients')
    expect(rows.at(-1)).not.toContain('breaks clients')
  })

  test("folds the server's text away, and no fence or colour in it gets out", () => {
    const hostile = '\u001b[31mred\u001b[0m\n```\n</details>\n<script>alert(1)</script> @someone'
    const text = render(ofMatrix('base'), ofMatrix('column-add'), automatic(hostile))
    const [, folded] = text.split('<details>')
    expect(folded).toContain('````text\nred\n```\n')
    expect(text).not.toContain('\u001b')
  })

  test('tells what works instead of what is impossible', () => {
    const text = render(ofMatrix('base'), ofMatrix('column-type-sign'))
    expect(text).toMatch(/\*\*What works instead, for table `\w+`:\*\*\n\n- Leave `/)
    expect(text).toMatch(/^5\. \*\*Release 3\*\*/m)
    expect(render(ofMatrix('base'), ofMatrix('column-add'))).not.toContain('What works instead')
  })

  test('says where the server sees more than we do', () => {
    const text = render(ofMatrix('base'), ofMatrix('table-add'), automatic('drops everything'))
    expect(text).toContain('Please report this')
  })

  test('is cut with notes when it is too long', () => {
    const long = automatic('step\n'.repeat(50_000))
    const [before, after] = [largeSchema(), largeSchema({ edition: 1 })]
    for (const limit of [10_000, 60_000]) {
      const text = render(before, after, long, limit)
      expect(text.length).toBeLessThanOrEqual(limit)
      expect(text).toMatch(/more changes are not shown|It is cut|is left out/)
      expect(text).toContain('**Clients:**')
      expect(text.split('<details>').length).toBe(text.split('</details>').length)
    }
  })
})
