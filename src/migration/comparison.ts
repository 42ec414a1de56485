import type { AlgebraicType } from '../module/algebraic-type.ts'
import { decode, valueCodec } from '../module/bsatn.ts'
import type { Parameter, Schema } from '../module/schema.ts'
import { relateTypes, type TypeRelation, type Typespace } from './type-structure.ts'
import { typeNames, typeText } from './type-text.ts'
import { judgeUpgrades, type TypeUpgrade } from './type-upgrade.ts'

/** Two schemas, and how their types compare. */
export type Comparison = {
  readonly before: Side
  readonly after: Side
  readonly same: TypeRelation
  /** Whether every value of an earlier type is a value of the later one. */
  readonly widens: TypeRelation
  /** Whether every value of a later type (first) is a value of the earlier one. */
  readonly narrows: TypeRelation
  readonly upgrade: (before: AlgebraicType, after: AlgebraicType) => TypeUpgrade
}

/** One of the two schemas, and its types in words. */
export type Side = {
  readonly schema: Schema
  readonly text: (type: AlgebraicType) => string
  /** A value in BSATN (given as hex) in words; as hex where it is no number, text or truth value. */
  readonly valueText: (type: AlgebraicType, hex: string) => string
  /** `(label: String, price: u32)` */
  readonly parametersText: (parameters: readonly Parameter[]) => string
}

/** Gets two schemas ready to be compared. */
export function compareSchemas(before: Schema, after: Schema): Comparison {
  return {
    before: sideOf(before),
    after: sideOf(after),
    same: relateTypes('same', before.typespace, after.typespace),
    widens: relateTypes('accepts', before.typespace, after.typespace),
    narrows: relateTypes('accepts', after.typespace, before.typespace),
    upgrade: judgeUpgrades(before.typespace, after.typespace)
  }
}

function sideOf(schema: Schema): Side {
  const names = typeNames(schema.types)
  const references = new Map<number, string>()
  const text = (type: AlgebraicType) => {
    if (type.kind !== 'ref') return typeText(type, schema.typespace, names)
    const written = references.get(type.ref) ?? typeText(type, schema.typespace, names)
    references.set(type.ref, written)
    return written
  }
  return {
    schema,
    text,
    valueText: (type, hex) => valueText(type, hex, schema.typespace),
    parametersText: (parameters) =>
      `(${parameters.map((parameter, at) => `${parameter.name ?? at}: ${text(parameter.type)}`).join(', ')})`
  }
}

function valueText(type: AlgebraicType, hex: string, typespace: Typespace): string {
  const inHex = `0x${hex}`
  try {
    const value = decode(valueCodec(type, typespace), new Uint8Array(Buffer.from(hex, 'hex')))
    if (typeof value === 'object') return inHex
    return typeof value === 'string' ? JSON.stringify(value) : String(value)
  } catch {
    return inHex
  }
}

/** The members of two lists, matched by a key that is unique in each. */
export function match<Item>(
  before: readonly Item[],
  after: readonly Item[],
  keyOf: (item: Item) => string
): Matched<Item> {
  if (before.length === after.length) {
    const kept = before.map((item, at) => [item, after[at] ?? item] as const)
    // Mostly nothing is added, removed or moved.
    if (kept.every(([item, other]) => keyOf(item) === keyOf(other))) return { removed: [], added: [], kept }
  }
  const later = new Map(after.map((item) => [keyOf(item), item]))
  const removed: Item[] = []
  const kept: (readonly [Item, Item])[] = []
  for (const item of before) {
    const key = keyOf(item)
    const other = later.get(key)
    if (other === undefined) removed.push(item)
    else kept.push([item, other])
    later.delete(key)
  }
  return { removed, added: [...later.values()], kept }
}

export type Matched<Item> = {
  readonly removed: readonly Item[]
  readonly added: readonly Item[]
  readonly kept: readonly (readonly [before: Item, after: Item])[]
}

/** The key of what has a name. */
export const byName = (item: Named): string => item.name

type Named = { readonly name: string }

/** Orders what has a name, the same on every machine. */
export function byNameOrder(one: Named, other: Named): number {
  return one.name < other.name ? -1 : one.name > other.name ? 1 : 0
}
