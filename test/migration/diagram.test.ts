import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { renderDiagram } from '../../src/migration/diagram.ts'
import { diffSchemas } from '../../src/migration/diff.ts'
import type { Schema } from '../../src/module/schema.ts'
import { schemaFromJson } from '../../src/module/schema-json.ts'
import { matrixSchema } from '../fixtures.ts'
import { arbitrarySchema } from './arbitrary-schema.ts'

const schemaOf = (name: string) => schemaFromJson(matrixSchema(name, 10))
const draw = (before: Schema, after: Schema) => renderDiagram(diffSchemas(before, after), before, after)

/** The grammar of an entity diagram, as far as it is used. */
const entity = /^ {2}[A-Za-z][\w()[\]-]*\["[^"\n]+"\] \{$/
const attribute = /^ {4}[A-Za-z][\w()[\]-]* [A-Za-z][\w()[\]-]*( PK| UK)?( "[^"\n]*")?$/

describe('a diagram', () => {
  test('shows the tables that change, and no others', () => {
    const diagram = draw(schemaOf('base'), schemaOf('column-add'))
    expect(diagram.match(/^ {2}\w+\[/gm)).toHaveLength(1)
    expect(diagram).toMatch(/^ {4}\w+ \w+ "added"$/m)
  })

  test('says what becomes of tables and columns', () => {
    const added = draw(schemaOf('base'), schemaOf('table-add'))
    expect(added).toContain(' · new"] {')
    expect(added).toMatch(/^ {4}\w+ \w+ PK$/m)
    expect(draw(schemaOf('table-add'), schemaOf('base'))).toContain(' · removed"] {')
    expect(draw(schemaOf('base'), schemaOf('column-type-sign'))).toMatch(/"was \w+"/)
    expect(draw(schemaOf('column-add'), schemaOf('base'))).toContain('"removed"')
  })

  test('is not there when no table changes, or too many', () => {
    expect(draw(schemaOf('base'), schemaOf('body'))).toBe('')
    expect(draw(schemaOf('base'), schemaOf('reducer-param-type'))).toBe('')
    const table = schemaOf('base').tables[0]
    const many = { ...schemaOf('base'), tables: Array.from({ length: 30 }, (_, n) => ({ ...table, name: `t${n}` })) }
    expect(draw({ ...many, tables: [] }, many as Schema)).toBe('')
  })

  test('keeps to the grammar whatever names and types there are', () => {
    fc.assert(
      fc.property(arbitrarySchema, arbitrarySchema, fc.string(), (before, after, name) => {
        const odd = { ...after, tables: after.tables.map((table) => ({ ...table, name: table.name + name })) }
        const diagram = draw(before, odd)
        if (diagram === '') return
        const lines = diagram.split('\n')
        expect(lines.slice(0, 2)).toEqual(['```mermaid', 'erDiagram'])
        for (const line of lines.slice(2, -1)) {
          expect(entity.test(line) || attribute.test(line) || line === '  }').toBe(true)
        }
        expect(lines.at(-1)).toBe('```')
      })
    )
  })
})
