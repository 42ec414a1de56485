import type { AlgebraicType } from '../module/algebraic-type.ts'
import { resolve, type Structure, type Typespace } from '../module/typespace.ts'

export { resolve, type Structure, type Typespace }

/** Whether two types, each of its own typespace, stand in some relation. */
export type TypeRelation = (one: AlgebraicType, other: AlgebraicType) => boolean

/**
 * Relates types of two typespaces by structure, names of fields and variants included, names of types not; types may
 * be recursive. `same` holds for equal structures; `accepts` when every value of the first is, byte for byte and as
 * JSON, a value of the second too: its sums may have more variants at the end.
 */
export function relateTypes(mode: 'same' | 'accepts', first: Typespace, second: Typespace): TypeRelation {
  const known = new Map<Structure, Map<Structure, boolean>>()
  let assumed: (readonly [Structure, Structure])[] = []

  function related(one: AlgebraicType, other: AlgebraicType): boolean {
    const a = resolve(one, first)
    const b = resolve(other, second)
    if (a.kind !== b.kind) return false
    if (a.kind !== 'sum' && a.kind !== 'product' && a.kind !== 'array') return true
    const answers = known.get(a) ?? new Map<Structure, boolean>()
    known.set(a, answers)
    const answer = answers.get(b)
    if (answer !== undefined) return answer
    // Taken for granted while it is being found out: recursive types would have no end otherwise.
    answers.set(b, true)
    assumed.push([a, b])
    const found = partsRelated(a, b)
    if (!found) answers.set(b, false)
    return found
  }

  function partsRelated(a: Structure, b: Structure): boolean {
    if (a.kind === 'array' && b.kind === 'array') return related(a.element, b.element)
    if (a.kind === 'product' && b.kind === 'product') return partsPairwise(a.elements, b.elements, false)
    if (a.kind === 'sum' && b.kind === 'sum') return partsPairwise(a.variants, b.variants, mode === 'accepts')
    return false
  }

  function partsPairwise(parts: readonly Part[], others: readonly Part[], mayHaveMore: boolean): boolean {
    if (mayHaveMore ? parts.length > others.length : parts.length !== others.length) return false
    return parts.every((part, at) => {
      const other = others[at]
      return other !== undefined && part.name === other.name && related(part.type, other.type)
    })
  }

  return (one, other) => {
    assumed = []
    const answer = related(one, other)
    // What was found under an assumption that failed may be wrong.
    if (!answer) for (const [a, b] of assumed) if (known.get(a)?.get(b)) known.get(a)?.delete(b)
    return answer
  }
}

type Part = { readonly name?: string; readonly type: AlgebraicType }
