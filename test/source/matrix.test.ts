import { describe, expect, test } from '@jest/globals'
import type { Change } from '../../src/migration/change.ts'
import { diffSchemas } from '../../src/migration/diff.ts'
import { schemaFromJson } from '../../src/module/schema-json.ts'
import { sourceLines } from '../../src/source/source-lines.ts'
import { matrixCases, matrixSchema, matrixSource } from '../fixtures.ts'
import { withFiles } from './folder.ts'

const pairs = new Map(matrixCases().map(({ from, to }) => [`${from} → ${to}`, { from, to }]))

/** What the lines say that declare what a change is about. */
function expectedAt(change: Change): RegExp {
  const { name } = change.subject
  switch (change.kind) {
    case 'column-added':
    case 'column-default-changed':
    case 'column-type-changed':
      return new RegExp(`^\\s*pub ${change.column}: `, 'i')
    case 'unique-constraint-added':
      if (change.columns.length === 1) return new RegExp(`^\\s*pub ${change.columns[0]}: `)
      break
    case 'sequence-added':
      return new RegExp(`^\\s*pub ${change.sequence.slice(name.length + 1, -'_seq'.length)}: `)
  }
  switch (change.subject.kind) {
    case 'table':
      return new RegExp(`table\\((accessor = ${name}\\b|accessor = \\w+, name = "${name}")`)
    case 'view':
      return new RegExp(`view\\(accessor = ${name}\\b[^]*fn ${name}\\(`)
    case 'reducer':
    case 'procedure':
      return new RegExp(`#\\[spacetimedb::${change.subject.kind}[^]*\\n(pub )?fn ${name}\\(`)
    case 'http-route':
      return new RegExp(`\\.get\\("${name.replace('GET ', '')}"`)
    case 'lifecycle':
      return new RegExp(`reducer\\(${name}\\)[^]*fn `)
    case 'type':
      return new RegExp(`\\n?pub (struct|enum) ${name} \\{`)
    default:
      return /^$/
  }
}

const isFindable = ({ kind, subject }: Change) =>
  subject.kind !== 'row-level-security' && subject.kind !== 'module' && kind !== `${subject.kind}-removed`

describe('in the sources of modules that a real server was given', () => {
  test.each([...pairs])('%s: each change is found where it is declared, and no other', async (_, { from, to }) => {
    const changes = diffSchemas(schemaFromJson(matrixSchema(from, 10)), schemaFromJson(matrixSchema(to, 10)))
    const source = matrixSource(to)
    const places = await withFiles({ 'server/src/lib.rs': source }, (repository) =>
      sourceLines(changes, { folder: `${repository}/server`, repository, language: 'rust' })
    )
    const lines = source.split('\n')
    for (const change of changes) {
      const place = places.get(change.id)
      expect([change.id, place !== undefined]).toEqual([change.id, isFindable(change)])
      if (!place) continue
      expect(place.file).toBe('server/src/lib.rs')
      expect(lines.slice(place.line - 1, place.endLine ?? place.line).join('\n')).toMatch(expectedAt(change))
    }
  })
})
