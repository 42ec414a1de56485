import type { Schema } from '../module/schema.ts'

/** What was read of production's rows, so that no text of a server, a module or a check shows it. */
export type CopiedValues = {
  /** A value as an answer to SQL has it. */
  add(value: unknown): void
  /** The text without the values. */
  hide(text: string): string
}

/** Values that are shorter say little of anybody, and are parts of everything. */
const shortest = 4

/** Nothing is hidden that the schema says: the names of tables, columns and functions are no secrets of the rows. */
export function copiedValues(schema: Schema): CopiedValues {
  const known = new Set<string>()
  const open = namesIn(schema)
  return {
    add: (value) => {
      for (const text of textsIn(value)) if (text.length >= shortest && !open.has(text)) known.add(text)
    },
    hide: (text) =>
      [...known]
        .filter((value) => text.includes(value))
        .sort((a, b) => b.length - a.length)
        .reduce((shown, value) => shown.replaceAll(value, '***'), text)
  }
}

/** How a value may show in a text: as it is, and as it is written in Rust's debug form and in JSON. */
function textsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn)
  if (typeof value === 'number' || typeof value === 'bigint') return isTelling(value) ? [`${value}`] : []
  if (typeof value !== 'string') return []
  const written = JSON.stringify(value).slice(1, -1)
  const bare = value.replace(/^0x/, '')
  return [...new Set([value, written, bare])]
}

/** Small integers are ids and counts, and stand in every text. */
function isTelling(value: number | bigint): boolean {
  return value >= 1_000_000 || value <= -1_000_000
}

function namesIn({ tables, reducers, procedures, views }: Schema): ReadonlySet<string> {
  const columns = tables.flatMap((table) => table.columns)
  return new Set([...tables, ...columns, ...reducers, ...procedures, ...views].map(({ name }) => name))
}
