import type { AlgebraicType } from './algebraic-type.ts'

/**
 * What a module declares, with names as the server makes them (canonical), from whichever source: a module file
 * described offline or a live database. Order of lists means nothing, except of columns, elements and variants.
 */
export type Schema = {
  /** What `{kind: 'ref'}` types point into. */
  readonly typespace: readonly AlgebraicType[]
  readonly types: readonly NamedType[]
  readonly tables: readonly Table[]
  readonly reducers: readonly Reducer[]
  readonly procedures: readonly Procedure[]
  readonly views: readonly View[]
  readonly httpRoutes: readonly HttpRoute[]
  readonly lifecycle: readonly LifecycleReducer[]
  /** SQL of the row-level security rules. */
  readonly rowLevelSecurity: readonly string[]
  /** Sections or parts that a newer server declares and this code does not know, by name or tag. */
  readonly unknownParts: readonly string[]
}

/** A type with a name that generated client code uses, such as `Spot` or `scope.Spot`. */
export type NamedType = { readonly name: string; readonly ref: number }

export type Table = {
  readonly name: string
  /** The name that the module's own code and generated clients use for it, where it is known. */
  readonly accessor?: string
  readonly columns: readonly Column[]
  /** The typespace entry of the row. */
  readonly rowType: number
  readonly primaryKey?: string
  readonly uniqueConstraints: readonly UniqueConstraint[]
  readonly indexes: readonly Index[]
  readonly sequences: readonly Sequence[]
  readonly schedule?: Schedule
  readonly access: 'public' | 'private'
  /** An event table keeps no rows: they only reach subscribers. */
  readonly isEvent: boolean
}

export type Column = {
  readonly name: string
  readonly type: AlgebraicType
  /** The default in BSATN, as hex. */
  readonly defaultValue?: string
}

export type UniqueConstraint = { readonly name: string; readonly columns: readonly string[] }

export type Index = {
  readonly name: string
  /** The name that code uses for it, where the source tells. */
  readonly accessor?: string
  readonly algorithm: 'btree' | 'hash' | 'direct'
  readonly columns: readonly string[]
}

export type Sequence = {
  readonly name: string
  readonly column: string
  readonly start?: bigint
  readonly minValue?: bigint
  readonly maxValue?: bigint
  readonly increment: bigint
}

export type Schedule = { readonly name: string; readonly column: string; readonly functionName: string }

export type Parameter = { readonly name?: string; readonly type: AlgebraicType }

export type Reducer = {
  readonly name: string
  readonly parameters: readonly Parameter[]
  /** `private` is callable by the owner and the module only. */
  readonly visibility: 'client' | 'private'
  /** What a reducer returns besides nothing, where the source tells. */
  readonly okType?: AlgebraicType
  readonly errorType?: AlgebraicType
}

export type Procedure = {
  readonly name: string
  readonly parameters: readonly Parameter[]
  readonly returnType: AlgebraicType
  readonly visibility: 'client' | 'private'
}

export type View = {
  readonly name: string
  readonly parameters: readonly Parameter[]
  readonly returnType: AlgebraicType
  readonly isPublic: boolean
  readonly isAnonymous: boolean
  readonly primaryKey?: readonly string[]
}

export type HttpRoute = { readonly method: string; readonly path: string; readonly handler: string }

export type LifecycleReducer = {
  readonly event: 'init' | 'client_connected' | 'client_disconnected'
  readonly reducer: string
}
