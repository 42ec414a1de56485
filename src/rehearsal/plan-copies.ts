import type { Schema, Table } from '../module/schema.ts'
import type { Problem } from '../yaml-document.ts'
import type { Seed, SeedEntry } from './seed-file.ts'
import { type WritableKind, writableKind } from './sql-values.ts'

/** The copy of one table, as far as it is known before anything is read. */
export type TableCopy = {
  readonly table: Table
  readonly limit: number
  readonly where: string | undefined
} & (
  | { readonly kind: 'copy'; readonly columns: readonly CopiedColumn[] }
  /** Why it can't be copied, to be read after a colon. */
  | { readonly kind: 'obstacle'; readonly reason: string }
)

export type CopiedColumn = {
  readonly name: string
  readonly kind: WritableKind
  readonly isMasked: boolean
  /** The server gives the next number of a sequence for a 0. */
  readonly countsByItself: boolean
}

/** An entry of a seed that copies. */
export type CopyEntry = Extract<SeedEntry, { kind: 'copy' | 'copy-all' }>

/** The tables that an entry copies. Names that the live module does not have are in `copyProblems`. */
export function copiesOf(entry: CopyEntry, seed: Seed, schema: Schema): TableCopy[] {
  return tablesOf(entry, seed, schema).map((table) => planCopy(table, entry, schema))
}

function tablesOf(entry: CopyEntry, seed: Seed, { tables }: Schema): Table[] {
  if (entry.kind === 'copy') return tables.filter(({ name }) => name === entry.table)
  const singly = seed.entries.flatMap((other) => (other.kind === 'copy' ? other.table : []))
  const left = tables.filter(({ name }) => !entry.except.includes(name) && !singly.includes(name))
  return left.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function planCopy(table: Table, entry: CopyEntry, { typespace }: Schema): TableCopy {
  const about = { table, limit: entry.limit, where: entry.kind === 'copy' ? entry.where : undefined }
  if (table.isEvent) return { ...about, kind: 'obstacle', reason: 'it is an event table, which keeps no rows' }
  if (table.schedule) {
    return { ...about, kind: 'obstacle', reason: "it is a schedule: its rows would start production's jobs" }
  }
  const kinds = table.columns.map(({ type }) => writableKind(type, typespace))
  const unwritable = table.columns.filter((_, at) => kinds[at] === undefined).map(({ name }) => name)
  if (unwritable.length > 0) {
    const columns = unwritable.length === 1 ? 'a column' : 'columns'
    return { ...about, kind: 'obstacle', reason: `SQL can't write the type of ${columns}: ${unwritable.join(', ')}` }
  }
  const columns = table.columns.flatMap(({ name }, at): CopiedColumn[] => {
    const kind = kinds[at]
    if (kind === undefined) return []
    const countsByItself = table.sequences.some(({ column }) => column === name)
    return [{ name, kind, isMasked: entry.mask.includes(name), countsByItself }]
  })
  return { ...about, kind: 'copy', columns }
}

/** The calls in a seed of what a module does not have. `module` begins a sentence: `The old module`. */
export function callProblems(seed: Seed, { reducers, procedures }: Schema, module: string): Problem[] {
  const callable = [...reducers, ...procedures].map(({ name }) => name)
  const known = callable.map((name) => `\`${name}\``).join(', ') || 'none'
  return seed.entries.flatMap((entry) => {
    if (entry.kind !== 'call' || callable.includes(entry.reducer)) return []
    const message = `${module} has no reducer or procedure \`${entry.reducer}\`. It has: ${known}.`
    return [{ ...entry.place, message }]
  })
}

/** The names in a seed that the live module does not have: a mask that fits nothing would leave its column open. */
export function copyProblems(seed: Seed, schema: Schema): Problem[] {
  return seed.entries.flatMap((entry) => {
    if (entry.kind !== 'copy' && entry.kind !== 'copy-all') return []
    const given = entry.kind === 'copy' ? [entry.table] : entry.except
    const missing = given.filter((name) => !schema.tables.some((table) => table.name === name))
    const known = new Set(tablesOf(entry, seed, schema).flatMap(({ columns }) => columns.map(({ name }) => name)))
    const unmasked = missing.length > 0 ? [] : entry.mask.filter((name) => !known.has(name))
    const tables = schema.tables.map(({ name }) => `\`${name}\``).join(', ') || 'none'
    const columns = [...known].map((name) => `\`${name}\``).join(', ') || 'none'
    return [
      ...missing.map((name) => `The live module has no table \`${name}\`. It has: ${tables}.`),
      ...unmasked.map((name) => `\`mask\` names a column \`${name}\` that is not copied. Copied are: ${columns}.`)
    ].map((message) => ({ ...entry.place, message }))
  })
}
