import { type AlgebraicType, type PrimitiveKind, primitiveKinds } from './algebraic-type.ts'
import {
  array,
  type Codec,
  i128,
  mapped,
  option,
  product,
  recursive,
  string,
  sum,
  u16,
  u32,
  type ValueOf
} from './codec.ts'

/**
 * The parts that both versions of a module's raw definition have: crates/lib/src/db/raw_def/v9.rs and crates/sats of
 * https://github.com/clockworklabs/SpacetimeDB. Fields and variants are called as there.
 */

const unit = product({})

/** A type; its tags are those of the variants in `AlgebraicType` of crates/sats. */
export const algebraicType: Codec<AlgebraicType> = recursive(() => wireType)

const named = product({ name: option(string), algebraic_type: algebraicType })

type NamedPart = { readonly name?: string; readonly type: AlgebraicType }

const namedPart: Codec<NamedPart> = mapped(
  named,
  ({ name, algebraic_type: type }) => (name === undefined ? { type } : { name, type }),
  ({ name, type }) => ({ name, algebraic_type: type })
)

export const productType = product({ elements: array(namedPart) })

const primitiveVariants = Object.fromEntries(primitiveKinds.map((kind) => [wireName(kind), unit]))

const variants = sum({
  Ref: u32,
  Sum: product({ variants: array(namedPart) }),
  Product: productType,
  Array: algebraicType,
  ...(primitiveVariants as Record<Capitalize<PrimitiveKind>, typeof unit>)
})

const wireType: Codec<AlgebraicType> = mapped(
  variants,
  (wire): AlgebraicType => {
    switch (wire.kind) {
      case 'Ref':
        return { kind: 'ref', ref: wire.value }
      case 'Sum':
        return { kind: 'sum', variants: wire.value.variants }
      case 'Product':
        return { kind: 'product', elements: wire.value.elements }
      case 'Array':
        return { kind: 'array', element: wire.value }
      default:
        return { kind: wire.kind.toLowerCase() as PrimitiveKind }
    }
  },
  (type): ValueOf<typeof variants> => {
    switch (type.kind) {
      case 'ref':
        return { kind: 'Ref', value: type.ref }
      case 'sum':
        return { kind: 'Sum', value: { variants: type.variants } }
      case 'product':
        return { kind: 'Product', value: { elements: type.elements } }
      case 'array':
        return { kind: 'Array', value: type.element }
      default:
        return { kind: wireName(type.kind), value: {} }
    }
  }
)

function wireName<Kind extends PrimitiveKind>(kind: Kind): Capitalize<Kind> {
  return `${kind.charAt(0).toUpperCase()}${kind.slice(1)}` as Capitalize<Kind>
}

export const typespace = product({ types: array(algebraicType) })

/** Positions of columns. */
const columns = array(u16)

export const tableType = sum({ System: unit, User: unit })

export const tableAccess = sum({ Public: unit, Private: unit })

export const lifecycle = sum({ Init: unit, OnConnect: unit, OnDisconnect: unit })

export const primaryKey = columns

export const indexAlgorithm = sum({ BTree: columns, Hash: columns, Direct: u16 })

export const constraintData = sum({ Unique: product({ columns }) })

/** What both versions say of a sequence, after its name. */
export const sequenceRange = {
  column: u16,
  start: option(i128),
  min_value: option(i128),
  max_value: option(i128),
  increment: i128
}

export const rowLevelSecurity = product({ sql: string })

export type RawLifecycle = ValueOf<typeof lifecycle>
export type RawIndexAlgorithm = ValueOf<typeof indexAlgorithm>
const range = product(sequenceRange)

export type RawSequence = ValueOf<typeof range>
export type RawConstraintData = ValueOf<typeof constraintData>
