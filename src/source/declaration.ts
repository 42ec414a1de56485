/** Something that a module's source declares. Offsets count characters from the beginning of the file. */
export type Declaration = {
  readonly kind: DeclarationKind
  /**
   * As the source writes it: of a type its own, of a route its method and path (`GET /users`), of a lifecycle
   * function its event (`client_connected`), of a row the name by which a table refers to it.
   */
  readonly name: string
  /** Where it begins, with its attributes. */
  readonly start: number
  /** Where its own name is, or whatever else says what it is. */
  readonly at: number
  readonly columns?: readonly ColumnDeclaration[]
  /** The name of the row with the columns, where they are not in the table itself. */
  readonly row?: string
}

export type DeclarationKind =
  | 'table'
  | 'view'
  | 'reducer'
  | 'procedure'
  | 'http-route'
  | 'lifecycle'
  | 'type'
  /** Columns that have a name of their own. */
  | 'row'

export type ColumnDeclaration = { readonly name: string; readonly at: number }
