import type { Table } from '../module/schema.ts'
import type { RowCounts, TableOutcome } from './rehearsal.ts'
import type { OldRelease, Rehearsing } from './rehearsing.ts'

/** What a rehearsal did not show, and why, in whole sentences. Names in them are plain, not escaped. */
export function limitsOf({ request, found }: Rehearsing, old: OldRelease): string[] {
  const { tables } = old.schema
  const isLive = request.old.kind === 'live'
  return [
    ...found.gaps,
    ...(isLive
      ? dataLimits(tables, found.copies, found.rows)
      : ['The rows are those of the seed: nothing of production was read.']),
    ...(isLive ? visibilityLimits(old, found.rows) : []),
    ...copyLimits(tables, found.copies),
    ...scheduleLimits(tables, isLive),
    "The server that was thrown away is of the version of the new module's bindings, or of the one that was asked for: production's may be another.",
    'No client was connected: what a client does when it is disconnected, or meets a changed table, was not tried.',
    'How long the migration of as many rows as production has takes, on its machine and under its load, was not measured.'
  ]
}

type Copies = ReadonlyMap<string, TableOutcome>

function dataLimits(tables: readonly Table[], copies: Copies, rows: ReadonlyMap<string, RowCounts>): string[] {
  const mayHaveRows = ({ name, isEvent }: Table) => !isEvent && rows.get(name)?.production !== 0n
  const left = tables.filter((table) => mayHaveRows(table) && !copies.has(table.name)).map(({ name }) => name)
  if (left.length === 0) return []
  return [`Of these tables no row of production was asked for: ${namesOf(left)}.`]
}

/** Whoever acts for an organization that is the owner may read as it does: so what could be counted is no secret. */
function visibilityLimits({ schema, isReadAsOwner }: OldRelease, rows: ReadonlyMap<string, RowCounts>): string[] {
  if (isReadAsOwner) return []
  const hidden = schema.tables.filter(
    ({ name, access, isEvent }) => access === 'private' && !isEvent && rows.get(name)?.production === undefined
  )
  return [
    ...(hidden.length > 0
      ? [
          `The live database's owner alone may read private tables, and the credential is not the owner's: ${namesOf(hidden.map(({ name }) => name))}.`
        ]
      : []),
    ...(schema.rowLevelSecurity.length > 0
      ? [
          'The live database has row-level security: only rows that it shows to this credential were counted and copied.'
        ]
      : [])
  ]
}

function copyLimits(tables: readonly Table[], copies: Copies): string[] {
  return [...copies].flatMap(([name, copy]) => {
    if (copy.kind === 'not-copied') return [`Table ${name} was not copied: ${copy.reason}.`]
    const sequences = tables.find((table) => table.name === name)?.sequences.map(({ column }) => column) ?? []
    return [
      ...(copy.isCut ? [`Table ${name} was copied up to its limit of ${copy.limit} rows; production has more.`] : []),
      ...(copy.masked.length > 0
        ? [`Table ${name} has made-up values in ${namesOf(copy.masked)}: what depends on the real ones was not tried.`]
        : []),
      ...(copy.hasNegativeZeros ? [`Negative zeros in table ${name} were written as 0.`] : []),
      ...(sequences.length > 0 && copy.rows > 0
        ? [
            `The sequence of ${namesOf(sequences.map((column) => `${name}.${column}`))} begins anew, and does not go on after the copied rows: a reducer that inserts may get a number that is taken.`
          ]
        : [])
    ]
  })
}

function scheduleLimits(tables: readonly Table[], isLive: boolean): string[] {
  const schedules = tables.filter(({ schedule }) => schedule !== undefined).map(({ name }) => name)
  if (schedules.length === 0) return []
  const production = isLive ? "; production's entries are never copied" : ''
  return [
    `What runs by a schedule (${namesOf(schedules)}) ran only as \`init\` and the seed set it up${production}. Since it may delete rows at any time, fewer rows after the migration are shown, and not judged.`
  ]
}

const mostNamed = 20

function namesOf(names: readonly string[]): string {
  const more = names.length - mostNamed
  return names.slice(0, mostNamed).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
