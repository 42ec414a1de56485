import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeRawModuleDef } from '../../src/module/raw-module-def.ts'
import { schemaFromRaw } from '../../src/module/schema-from-raw.ts'
import { schemaFromJson, schemaJson } from '../../src/module/schema-json.ts'
import { matrixModule, matrixNames, matrixSchema } from '../fixtures.ts'
import { definitionOf } from './definition-of.ts'

type Json = { [name: string]: Json } & Json[]

/** The answer for `base`, after a change of it. */
function changed(version: 9 | 10, change: (answer: Json) => void): unknown {
  const answer = structuredClone(matrixSchema('base', version)) as Json
  change(answer)
  return answer
}

function section(answer: Json, name: string): Json {
  return answer.sections?.find((each) => name in each)?.[name] as Json
}

describe("a server's answer", () => {
  test('becomes the same schema through the raw definition and back', () => {
    for (const name of matrixNames()) {
      const { raw } = decodeRawModuleDef(definitionOf(matrixModule(name)))
      const json = JSON.parse(JSON.stringify(schemaJson(raw)))
      expect(schemaJson(raw)).toEqual(json)
      expect(schemaFromJson(json)).toEqual(schemaFromRaw(raw, 'server'))
    }
  })

  test('may state integers as bigints, which hold what doubles do not', () => {
    const answer = changed(10, (json) => {
      const item = section(json, 'Tables').find((table) => `${table.source_name}` === 'item')
      Object.assign(item?.sequences?.[0] ?? {}, { increment: 1n, max_value: { some: 2n ** 100n + 1n } })
    })
    const item = schemaFromJson(answer).tables.find(({ name }) => name === 'item')
    expect(item?.sequences).toEqual([{ name: 'item_id_seq', column: 'id', maxValue: 2n ** 100n + 1n, increment: 1n }])
  })

  test.each<[title: string, version: 9 | 10, change: (answer: Json) => void, unknownParts: string[]]>([
    ['a section', 10, (json) => json.sections?.push({ Wormholes: [1, 2] } as never), ['section Wormholes']],
    ['an export', 9, (json) => json.misc_exports?.push({ Wormhole: {} } as never), ['misc export Wormhole']],
    [
      'a field',
      10,
      (json) => Object.assign(section(json, 'Tables')[0] ?? {}, { color: 'red' }),
      ['sections[2].Tables[0].color']
    ]
  ])('with %s that is not known says so, and is read otherwise', (_, version, change, unknownParts) => {
    const schema = schemaFromJson(changed(version, change))
    expect(schema.unknownParts).toEqual(unknownParts)
    expect({ ...schema, unknownParts: [] }).toEqual(schemaFromJson(matrixSchema('base', version)))
  })
})

describe('an answer of another shape is an error that names the part and shows it', () => {
  test.each<[title: string, json: unknown, message: RegExp]>([
    ['nothing', undefined, /expected an object, at the top: nothing/],
    ['a text', 'no such database', /expected an object, at the top: "no such database"/],
    ['an object', { error: 1 }, /expected the field typespace, at the top: \{"error":1\}/],
    ['no list', { sections: {} }, /expected a list, at sections: \{\}/],
    [
      'a type that is not known',
      changed(10, (json) =>
        Object.assign(section(json, 'Typespace').types?.[0] ?? {}, { Product: undefined, Tensor: 1 })
      ),
      /expected an object with one key, at sections\[0\]\.Typespace\.types\[0\]/
    ],
    [
      'an index that is not known',
      changed(9, (json) => {
        Object.assign(json.tables?.[1]?.indexes?.[0] ?? {}, { algorithm: { Spatial: [0] } })
      }),
      /unknown variant Spatial; known are BTree, Hash, Direct, at tables\[1\]\.indexes\[0\]\.algorithm: \{"Spatial":\[0\]\}/
    ],
    [
      'a number that is too large',
      changed(9, (json) => Object.assign(json.tables?.[0] ?? {}, { product_type_ref: 2 ** 32 })),
      /expected an integer from 0 to 4294967295, at tables\[0\]\.product_type_ref: 4294967296/
    ],
    [
      'a table without rows',
      changed(9, (json) => Object.assign(json.tables?.[0] ?? {}, { product_type_ref: 4000 })),
      /the rows of the table chime have no product type/
    ]
  ])('%s', (_, json, message) => {
    expect(() => schemaFromJson(json)).toThrow(/^The schema that the server answered with has an unknown shape: /)
    expect(() => schemaFromJson(json)).toThrow(message)
  })

  test('whatever the JSON is', () => {
    const isExpected = (json: unknown) => {
      try {
        schemaFromJson(json)
      } catch (error) {
        expect((error as Error).cause).not.toBeInstanceOf(TypeError)
        expect((error as Error).cause).not.toBeInstanceOf(RangeError)
      }
    }
    fc.assert(fc.property(fc.jsonValue(), isExpected))
    fc.assert(fc.property(fc.array(fc.jsonValue()), (sections) => isExpected({ sections })))
    fc.assert(fc.property(fc.nat(), fc.jsonValue(), (at, value) => isExpected(withPart(at, value))))
  })
})

/** The answer for `base` with another value at one of its places. */
function withPart(at: number, value: unknown): unknown {
  const answer = structuredClone(matrixSchema('base', 10))
  const places: [holder: Record<string, unknown>, key: string][] = []
  const visit = (part: unknown) => {
    if (typeof part !== 'object' || part === null) return
    for (const [key, inner] of Object.entries(part)) {
      places.push([part as Record<string, unknown>, key])
      visit(inner)
    }
  }
  visit(answer)
  const [holder, key] = places[at % places.length] ?? [{}, '']
  holder[key] = value
  return answer
}
