import { checkYaml, readYamlBytes, yamlError } from '../checked-yaml.ts'
import type { Path, Place, Problem } from '../yaml-document.ts'
import { seedSchema, type WrittenEntry } from './seed-schema.ts'

/** What the database of a rehearsal is filled with before the migration. */
export type Seed = {
  readonly path: string
  /** Milliseconds for all entries together. */
  readonly deadline: number
  readonly entries: readonly SeedEntry[]
}

export type SeedEntry = {
  /** Where it begins in its file. */
  readonly place: Place
} & (
  | {
      readonly kind: 'call'
      readonly reducer: string
      /** Integers that a double can't hold are bigints. */
      readonly args: readonly unknown[]
      readonly times: number
    }
  | { readonly kind: 'sql'; readonly statement: string }
  | ({ readonly kind: 'copy'; readonly table: string; readonly where?: string } & Amount)
  | ({ readonly kind: 'copy-all'; readonly except: readonly string[] } & Amount)
)

type Amount = {
  /** Rows of a table. */
  readonly limit: number
  /** Columns that are not read. */
  readonly mask: readonly string[]
}

/** The entries of a file. Throws a `ConfigurationError` when it can't be read or isn't as docs/rehearsal.md says. */
export async function readSeed(path: string): Promise<Seed> {
  return parseSeed(await readYamlBytes(path, 'file of seeds'), path)
}

/** The entries in the contents of a file. Throws a `ConfigurationError` with file, line and column of all that is wrong. */
export function parseSeed(contents: Uint8Array, path: string): Seed {
  const checked = checkYaml(contents, seedSchema)
  if (checked.kind === 'invalid') throw yamlError(path, checked.problems)
  const { value, placeOf } = checked
  const problems = contradictions(value.seed, placeOf)
  if (problems.length > 0) throw yamlError(path, problems)
  const entries = value.seed.map((written, index) => ({ place: placeOf(['seed', index]), ...entryOf(written) }))
  return { path, deadline: value.deadline, entries }
}

function contradictions(written: readonly WrittenEntry[], placeOf: (path: Path) => Place): Problem[] {
  const seen = new Set<string>()
  return written.flatMap((entry, index): Problem[] => {
    if (!('copy' in entry)) return []
    const problem = (key: string, message: string) => ({ ...placeOf(['seed', index, key]), message })
    const isAll = entry.copy === 'all'
    const isRepeated = seen.has(entry.copy)
    seen.add(entry.copy)
    return [
      ...(isRepeated
        ? [problem('copy', `\`copy: ${entry.copy}\` is there twice; each table can be copied once.`)]
        : []),
      ...(isAll && entry.where !== undefined
        ? [problem('where', '`where` is for one table, not for `copy: all`.')]
        : []),
      ...(!isAll && entry.except !== undefined ? [problem('except', '`except` is for `copy: all` only.')] : [])
    ]
  })
}

type Bare<Entry> = Entry extends unknown ? Omit<Entry, 'place'> : never

function entryOf(written: WrittenEntry): Bare<SeedEntry> {
  if ('call' in written) return { kind: 'call', reducer: written.call, args: written.args, times: written.times }
  if ('sql' in written) return { kind: 'sql', statement: written.sql }
  const { copy, limit, where, mask = [], except = [] } = written
  if (copy === 'all') return { kind: 'copy-all', except, limit, mask }
  return { kind: 'copy', table: copy, limit, mask, ...(where !== undefined && { where }) }
}
