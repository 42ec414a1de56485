/**
 * SpacetimeDB's type system (SATS): what columns, parameters and return values are made of.
 * https://spacetimedb.com/docs/sats-json and docs/server-behaviour.md.
 */
export type AlgebraicType =
  | { readonly kind: 'ref'; readonly ref: number }
  | { readonly kind: 'sum'; readonly variants: readonly Variant[] }
  | { readonly kind: 'product'; readonly elements: readonly Element[] }
  | { readonly kind: 'array'; readonly element: AlgebraicType }
  | { readonly kind: PrimitiveKind }

/** The types without parts, in the order of their BSATN tags (4 to 19). */
export const primitiveKinds = [
  'string',
  'bool',
  'i8',
  'u8',
  'i16',
  'u16',
  'i32',
  'u32',
  'i64',
  'u64',
  'i128',
  'u128',
  'i256',
  'u256',
  'f32',
  'f64'
] as const

export type PrimitiveKind = (typeof primitiveKinds)[number]

/** A field of a product; tuples have fields without a name. */
export type Element = { readonly name?: string; readonly type: AlgebraicType }

/** A case of a sum; its position is its tag. */
export type Variant = { readonly name?: string; readonly type: AlgebraicType }
