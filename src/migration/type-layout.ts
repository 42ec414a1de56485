import type { AlgebraicType, PrimitiveKind } from '../module/algebraic-type.ts'
import { resolve, type Structure, type Typespace } from './type-structure.ts'

/**
 * How the server stores a value within a row, in bytes. `fixed` when nothing of it lies outside the row. A changed
 * column must keep all three (docs/server-behaviour.md, "Migrations").
 */
export type Layout = { readonly size: number; readonly align: number; readonly fixed: boolean }

/** Strings and arrays: a reference to a place outside the row. */
const elsewhere: Layout = { size: 4, align: 2, fixed: false }

const integerSizes: Readonly<Record<Exclude<PrimitiveKind, 'string'>, number>> = {
  bool: 1,
  i8: 1,
  u8: 1,
  i16: 2,
  u16: 2,
  i32: 4,
  u32: 4,
  i64: 8,
  u64: 8,
  i128: 16,
  u128: 16,
  i256: 32,
  u256: 32,
  f32: 4,
  f64: 8
}

/** The layouts of a typespace's types, each worked out once. Recursive types, which no row can hold, count as empty. */
export function layoutsOf(typespace: Typespace): (type: AlgebraicType) => Layout {
  const known = new Map<Structure, Layout>()

  function layoutOf(type: AlgebraicType): Layout {
    const structure = resolve(type, typespace)
    const before = known.get(structure)
    if (before !== undefined) return before
    known.set(structure, { size: 0, align: 1, fixed: true })
    const layout = layoutOfStructure(structure)
    known.set(structure, layout)
    return layout
  }

  function layoutOfStructure(type: Structure): Layout {
    switch (type.kind) {
      case 'string':
      case 'array':
        return elsewhere
      case 'product':
        return productLayout(type.elements.map((element) => layoutOf(element.type)))
      case 'sum':
        return sumLayout(type.variants.map((variant) => layoutOf(variant.type)))
      default:
        return { size: integerSizes[type.kind], align: integerSizes[type.kind], fixed: true }
    }
  }

  return layoutOf
}

/** The layout of values one after the other, each aligned. */
function productLayout(parts: readonly Layout[]): Layout {
  let size = 0
  for (const part of parts) size = alignTo(size, part.align) + part.size
  const align = maximum(parts.map((part) => part.align))
  return { size: alignTo(size, align), align, fixed: parts.every((part) => part.fixed) }
}

/** A tag, then room for the largest variant. */
function sumLayout(variants: readonly Layout[]): Layout {
  const align = maximum(variants.map((variant) => variant.align))
  const payload = alignTo(maximum([0, ...variants.map((variant) => variant.size)], 0), align)
  return { size: align + payload, align, fixed: variants.every((variant) => variant.fixed) }
}

function maximum(values: readonly number[], atLeast = 1): number {
  return values.reduce((most, value) => Math.max(most, value), atLeast)
}

function alignTo(offset: number, align: number): number {
  return Math.ceil(offset / align) * align
}
