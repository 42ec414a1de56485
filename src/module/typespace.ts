import type { AlgebraicType } from './algebraic-type.ts'

/** What `{kind: 'ref'}` types point into. */
export type Typespace = readonly AlgebraicType[]

/** A type that is not a reference. */
export type Structure = Exclude<AlgebraicType, { kind: 'ref' }>

/** The type that a reference stands for. Throws when it points nowhere. */
export function resolve(type: AlgebraicType, typespace: Typespace): Structure {
  let resolved: AlgebraicType | undefined = type
  for (let steps = 0; resolved?.kind === 'ref'; steps++) {
    resolved = steps > typespace.length ? undefined : typespace[resolved.ref]
  }
  if (resolved === undefined)
    throw new Error(`the schema refers to a type that it does not have: ${JSON.stringify(type)}`)
  return resolved
}
