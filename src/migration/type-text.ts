import type { AlgebraicType } from '../module/algebraic-type.ts'
import type { NamedType } from '../module/schema.ts'
import { resolve, type Typespace } from './type-structure.ts'

/** A text longer than this is cut with an ellipsis: types can grow exponentially when they are written out. */
const longest = 4000

/**
 * A type as a person writes it: `u32`, `Option<String>`, `Rarity(common | rare)`, `Spot{x: i32}`. What a name stands
 * for is written out once.
 */
export function typeText(type: AlgebraicType, typespace: Typespace, names: TypeNames): string {
  const open = new Set<number>()

  function text(type: AlgebraicType, room: number): string {
    if (room <= 0) return '…'
    if (type.kind === 'ref') return referenceText(type.ref, room)
    const known = wellKnownName(type)
    if (known !== undefined) return known
    switch (type.kind) {
      case 'array':
        return `Vec<${text(type.element, room - 5)}>`
      case 'product':
        return `{${joined(type.elements, ', ', fieldText, room)}}`
      case 'sum':
        return sumText(type.variants, room)
      case 'string':
        return 'String'
      default:
        return type.kind
    }
  }

  function referenceText(ref: number, room: number): string {
    const name = names.get(ref) ?? ''
    if (open.has(ref)) return name || `type ${ref}`
    open.add(ref)
    const structure = text(resolve({ kind: 'ref', ref }, typespace), room - name.length)
    open.delete(ref)
    return name + structure
  }

  function sumText(variants: readonly Part[], room: number): string {
    const [first, second] = variants
    const named = variants.map((variant) => variant.name).join()
    if (first && named === 'some,none') return `Option<${text(first.type, room - 8)}>`
    if (first && second && named === 'ok,err') {
      const ok = text(first.type, room - 8)
      return `Result<${ok}, ${text(second.type, room - 8 - ok.length)}>`
    }
    return first ? `(${joined(variants, ' | ', variantText, room)})` : '(no variants)'
  }

  function fieldText(field: Part, at: number, room: number): string {
    return `${field.name ?? at}: ${text(field.type, room)}`
  }

  function variantText(variant: Part, at: number, room: number): string {
    const isBare = variant.type.kind === 'product' && variant.type.elements.length === 0
    return `${variant.name ?? at}${isBare ? '' : ` ${text(variant.type, room)}`}`
  }

  return text(type, longest)
}

/** What a typespace's entries are called. */
export type TypeNames = ReadonlyMap<number, string>

/** The names of a schema's types by their place in the typespace; of several names the last by the alphabet. */
export function typeNames(types: readonly NamedType[]): TypeNames {
  const names = new Map<number, string>()
  for (const { ref, name } of types) if (name > (names.get(ref) ?? '')) names.set(ref, name)
  return names
}

/**
 * A type as the server writes it in plans and reasons: `(some: U32 | none: ())`, `Array<U8>`, all names resolved
 * (docs/server-behaviour.md, "Migrations").
 */
export function serverTypeText(type: AlgebraicType, typespace: Typespace): string {
  const open = new Set<AlgebraicType>()

  function text(type: AlgebraicType, room: number): string {
    if (room <= 0 || open.has(type)) return '…'
    open.add(type)
    const written = structureText(type, room)
    open.delete(type)
    return written
  }

  function structureText(type: AlgebraicType, room: number): string {
    switch (type.kind) {
      case 'ref':
        return text(resolve(type, typespace), room)
      case 'array':
        return `Array<${text(type.element, room - 7)}>`
      case 'product':
        return `(${joined(type.elements, ', ', (field, at, room) => `${field.name ?? at}: ${text(field.type, room)}`, room)})`
      case 'sum':
        return type.variants.length === 0 ? '(|)' : `(${joined(type.variants, ' | ', variantText, room)})`
      case 'string':
        return 'String'
      default:
        return type.kind.charAt(0).toUpperCase() + type.kind.slice(1)
    }
  }

  function variantText(variant: Part, _at: number, room: number): string {
    return `${variant.name === undefined ? '' : `${variant.name}: `}${text(variant.type, room)}`
  }

  return text(type, longest * 10)
}

type Part = { readonly name?: string; readonly type: AlgebraicType }

/** The parts' texts, as far as there is room for them. */
function joined(
  parts: readonly Part[],
  separator: string,
  partText: (part: Part, at: number, room: number) => string,
  room: number
): string {
  let text = ''
  for (const [at, part] of parts.entries()) {
    if (text.length >= room) return `${text}…`
    text += (at === 0 ? '' : separator) + partText(part, at, room - text.length)
  }
  return text
}

/** SpacetimeDB's own types are products and sums with reserved names. */
const reservedFields: Readonly<Record<string, string>> = {
  __identity__: 'Identity',
  __connection_id__: 'ConnectionId',
  __timestamp_micros_since_unix_epoch__: 'Timestamp',
  __time_duration_micros__: 'TimeDuration',
  __uuid__: 'Uuid'
}

function wellKnownName(type: AlgebraicType): string | undefined {
  if (type.kind === 'product') {
    if (type.elements.length === 0) return '()'
    const [only] = type.elements
    return type.elements.length === 1 && only?.name !== undefined ? reservedFields[only.name] : undefined
  }
  if (type.kind === 'sum') {
    const isSchedule = type.variants.map((variant) => variant.name?.toLowerCase()).join() === 'interval,time'
    return isSchedule ? 'ScheduleAt' : undefined
  }
  return undefined
}
