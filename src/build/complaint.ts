/** What a compiler complains of. */
export type Complaint = {
  readonly severity: 'error' | 'warning'
  /** A line or a few, without colours. */
  readonly message: string
  /** The compiler's own name for it: `E0308`, `TS2322`. */
  readonly code?: string
  /** `undefined` when it is about no place in the repository, such as a linker's. */
  readonly place?: Place
}

export type Place = {
  /** From the workspace, with `/`. */
  readonly file: string
  /** From 1, as are columns. */
  readonly line: number
  readonly column?: number
  readonly endLine?: number
}
