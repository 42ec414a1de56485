import fc, { type Arbitrary } from 'fast-check'
import { type AlgebraicType, primitiveKinds } from '../../src/module/algebraic-type.ts'
import type { Value } from '../../src/module/bsatn.ts'

/** Any type, a typespace that it may point into, and a value of the type. */
export function typed(): Arbitrary<{ type: AlgebraicType; typespace: readonly AlgebraicType[]; value: Value }> {
  return typespaces().chain((typespace) =>
    types(typespace.length).chain((type) => valuesOf(type, typespace).map((value) => ({ type, typespace, value })))
  )
}

/** Typespaces of up to three types, each of which points to earlier ones only, so that values end. */
export function typespaces(): Arbitrary<readonly AlgebraicType[]> {
  return fc
    .tuple(types(0), types(1), types(2), fc.integer({ min: 1, max: 3 }))
    .map(([first, second, third, length]) => [first, second, third].slice(0, length))
}

/** Types that point to the first `refs` of a typespace. */
export function types(refs: number): Arbitrary<AlgebraicType> {
  const primitive = fc.constantFrom(...primitiveKinds).map((kind): AlgebraicType => ({ kind }))
  const pointing = refs === 0 ? [] : [fc.nat(refs - 1).map((ref): AlgebraicType => ({ kind: 'ref', ref }))]
  const { type } = fc.letrec<{ type: AlgebraicType }>((tie) => {
    const part = fc.record({ name: fc.string(), type: tie('type') }, { requiredKeys: ['type'] })
    return {
      type: fc.oneof(
        { maxDepth: 3, depthSize: 'small' },
        primitive,
        ...pointing,
        fc.array(part, { maxLength: 4 }).map((elements): AlgebraicType => ({ kind: 'product', elements })),
        fc.array(part, { minLength: 1, maxLength: 4 }).map((variants): AlgebraicType => ({ kind: 'sum', variants })),
        tie('type').map((element): AlgebraicType => ({ kind: 'array', element }))
      )
    }
  })
  return type
}

function valuesOf(type: AlgebraicType, typespace: readonly AlgebraicType[]): Arbitrary<Value> {
  switch (type.kind) {
    case 'ref':
      return valuesOf(typespace[type.ref] ?? { kind: 'product', elements: [] }, typespace)
    case 'product':
      return fc.tuple(...type.elements.map((element) => valuesOf(element.type, typespace)))
    case 'sum':
      return fc.oneof(
        ...type.variants.map((variant, tag) => valuesOf(variant.type, typespace).map((value) => ({ tag, value })))
      )
    case 'array':
      return type.element.kind === 'u8'
        ? fc.uint8Array({ maxLength: 20 })
        : fc.array(valuesOf(type.element, typespace), { maxLength: 4 })
    case 'string':
      return fc.string({ unit: 'binary' })
    case 'bool':
      return fc.boolean()
    case 'f32':
      return fc.float()
    case 'f64':
      return fc.double()
    default:
      return integers(type.kind)
  }
}

function integers(kind: string): Arbitrary<number | bigint> {
  const bits = BigInt(kind.slice(1))
  const [min, max] = kind.startsWith('i') ? [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n] : [0n, 2n ** bits - 1n]
  return bits < 64n ? fc.integer({ min: Number(min), max: Number(max) }) : fc.bigInt({ min, max })
}
