import type { AlgebraicType } from '../module/algebraic-type.ts'
import { type Layout, layoutsOf } from './type-layout.ts'
import { relateTypes, resolve, type Structure, type Typespace } from './type-structure.ts'
import { serverTypeText } from './type-text.ts'

/** Why the server can't turn a column's values into another type in place. The types are written as the server does. */
export type TypeObstacle = {
  readonly reason:
    | 'type'
    | 'fewer-variants'
    | 'renamed-variant'
    | 'size'
    | 'alignment'
    | 'field-count'
    | 'renamed-field'
  /** Whether it lies within the column's type rather than being the column's type. */
  readonly within: boolean
  readonly before: string
  readonly after: string
}

/** What the server makes of a column's new type. */
export type TypeUpgrade = {
  /** None when the server can do it in place. One may come more than once, as in the server's answer. */
  readonly obstacles: readonly TypeObstacle[]
  readonly layoutBefore: Layout
  readonly layoutAfter: Layout
}

/** More obstacles than this are not listed: nested types could repeat one without end. */
const most = 200

/**
 * Judges changed column types as the server's planner does: variants may be added at the end of a sum, wherever it
 * is nested, as long as it keeps its size and alignment; nothing else may change
 * (docs/server-behaviour.md, "Migrations").
 */
export function judgeUpgrades(before: Typespace, after: Typespace) {
  const same = relateTypes('same', before, after)
  const layoutBefore = layoutsOf(before)
  const layoutAfter = layoutsOf(after)
  const harmless = new Map<Structure, Set<Structure>>()

  function obstaclesOf(one: AlgebraicType, other: AlgebraicType, within: boolean, found: TypeObstacle[]): void {
    const a = resolve(one, before)
    const b = resolve(other, after)
    if (found.length >= most || harmless.get(a)?.has(b) || same(a, b)) return
    // Taken for granted while it is being found out: recursive types would have no end otherwise.
    harmless.set(a, (harmless.get(a) ?? new Set()).add(b))
    const foundBefore = found.length
    const obstacle = (reason: TypeObstacle['reason']) =>
      found.push({ reason, within, before: serverTypeText(a, before), after: serverTypeText(b, after) })
    if (a.kind === 'sum' && b.kind === 'sum') {
      if (a.variants.length > b.variants.length) obstacle('fewer-variants')
      eachPair(a.variants, b.variants, found, () => obstacle('renamed-variant'))
      if (layoutBefore(a).size !== layoutAfter(b).size) obstacle('size')
      if (layoutBefore(a).align !== layoutAfter(b).align) obstacle('alignment')
    } else if (a.kind === 'product' && b.kind === 'product') {
      if (a.elements.length !== b.elements.length) obstacle('field-count')
      eachPair(a.elements, b.elements, found, () => obstacle('renamed-field'))
    } else if (a.kind === 'array' && b.kind === 'array') {
      obstaclesOf(a.element, b.element, true, found)
    } else obstacle('type')
    if (found.length > foundBefore) harmless.get(a)?.delete(b)
  }

  function eachPair(
    parts: readonly Part[],
    others: readonly Part[],
    found: TypeObstacle[],
    onOtherName: () => void
  ): void {
    for (const [at, part] of parts.entries()) {
      const other = others[at]
      if (other === undefined) return
      obstaclesOf(part.type, other.type, true, found)
      if (part.name !== other.name) onOtherName()
    }
  }

  return (one: AlgebraicType, other: AlgebraicType): TypeUpgrade => {
    const obstacles: TypeObstacle[] = []
    obstaclesOf(one, other, false, obstacles)
    return { obstacles, layoutBefore: layoutBefore(one), layoutAfter: layoutAfter(other) }
  }
}

type Part = { readonly name?: string; readonly type: AlgebraicType }
