import type { Change } from '../../src/migration/change.ts'
import { diffSchemas } from '../../src/migration/diff.ts'
import type { TypeObstacle } from '../../src/migration/type-upgrade.ts'
import type { Schema, Table } from '../../src/module/schema.ts'
import { type PlanStyle, planText } from './plan-text.ts'

/** What the server answers to a request for a plan, but for the token. */
export type EmbeddedPlan =
  | {
      readonly AutoMigrate: {
        readonly migrate_plan: string
        readonly break_clients: boolean
        readonly major_version_upgrade: false
      }
    }
  | { readonly ManualMigrate: { readonly reason: string; readonly major_version_upgrade: false } }

/**
 * The plan for replacing one module by another: kind, `break_clients` and reasons are the real server's, as the
 * migration matrix shows; its text says the same in the same style. Made from our own schema difference.
 */
export function serverPlan(before: Schema, after: Schema, style: PlanStyle): EmbeddedPlan {
  const changes = diffSchemas(before, after)
  const reasons = changes.flatMap(refusals)
  if (reasons.length > 0) {
    const reason = `Errors occurred:\n${reasons.map((text) => `${text}\n\n`).join('')}`
    return { ManualMigrate: { reason, major_version_upgrade: false } }
  }
  return {
    AutoMigrate: {
      migrate_plan: planText(before, after, changes, style),
      break_clients: changes.some((change) => change.atServer === 'disconnects'),
      major_version_upgrade: false
    }
  }
}

/** What the server says against a change; one error may come several times, as it does there. */
function refusals(change: Change): readonly string[] {
  if (change.atServer !== 'refused') return []
  const table = change.subject.name
  switch (change.kind) {
    case 'column-added':
      return [`Adding a column ${change.column} to table ${table} requires a default value annotation`]
    case 'column-removed':
      return [`Removing a column ${change.column} from table ${table} requires a manual migration`]
    case 'columns-moved':
      return change.columns.map(() => `Reordering table ${table} requires a manual migration`)
    case 'column-type-changed':
      return change.obstacles.map((obstacle) => typeRefusal(table, change.column, obstacle))
    case 'table-event-changed':
      return [`Changing the event flag of table ${table} requires a manual migration`]
    case 'unique-constraint-changed':
      return [`Changing a unique constraint ${change.constraint} requires a manual migration`]
    case 'index-accessor-changed': {
      const text = (accessor: string | undefined) => (accessor === undefined ? 'None' : `Some("${accessor}")`)
      const [from, to] = [text(change.accessor), text(change.newAccessor)]
      return [`Changing the accessor name on index ${change.index} from ${from} to ${to} requires a manual migration`]
    }
    default:
      throw new Error(`the embedded server has no text for a refused change of kind ${change.kind}`)
  }
}

function typeRefusal(table: string, column: string, { reason, within, before, after }: TypeObstacle): string {
  // The server's texts for renamed variants and fields don't tell within from without.
  const isWithin = within && reason !== 'renamed-variant' && reason !== 'renamed-field'
  const what = isWithin ? 'a type within column' : 'the type of column'
  const start = `Changing ${what} ${column} in table ${table} from ${before} to ${after}`
  const manual = 'requires a manual migration'
  const ends: Readonly<Record<TypeObstacle['reason'], string>> = {
    type: ` ${manual}`,
    'fewer-variants': `, with fewer variants, ${manual}`,
    'renamed-variant': `, with a renamed variant, ${manual}`,
    size: `, ${manual}, due to size mismatch`,
    alignment: `, ${manual}, due to alignment mismatch`,
    'field-count': `, with fewer fields, ${manual}`,
    'renamed-field': `, with a renamed field, ${manual}`
  }
  return start + ends[reason]
}

/** What is asked of the rows before a plan is carried out. */
export type Rows = {
  rowCount(table: string): number
  /** A value that more than one row has in these columns, written as the server does; `undefined` when all differ. */
  repeatedValue(table: string, columns: readonly string[]): string | undefined
  /** Whether a row's value lies in the range, both ends included; without `to` there is no upper end. */
  hasValueBetween(table: string, column: string, from: bigint, to: bigint | undefined): boolean
}

/**
 * Why carrying out an automatic plan fails, in the order in which the server would meet it: the first is its answer,
 * after `Failed to create or update the database: `. Empty when it succeeds.
 */
export function applyProblems(before: Schema, after: Schema, rows: Rows): readonly string[] {
  const changes = diffSchemas(before, after)
  const problems = (find: (change: Change) => readonly string[]) => changes.flatMap(find)
  return [
    ...problems((change) => sequenceProblem(change, rows)),
    ...problems((change) =>
      change.kind === 'schedule-removed' || change.kind === 'schedule-changed'
        ? ['Removing schedules is not yet implemented']
        : []
    ),
    ...problems((change) => removedTableProblem(change, rows)),
    ...problems((change) => layoutProblem(change)),
    ...problems((change) => uniqueProblem(change, before, after, rows)),
    ...problems((change) => (change.kind === 'schedule-added' ? ['Adding schedules is not yet implemented'] : [])),
    ...problems(privateRuleProblem)
  ]
}

function sequenceProblem(change: Change, rows: Rows): readonly string[] {
  if (change.kind !== 'sequence-added' && change.kind !== 'sequence-changed') return []
  const isTaken = change.conditions.some((condition) => {
    if (condition.kind !== 'sequence-range-free') return false
    const to = condition.to === undefined ? undefined : BigInt(condition.to)
    return rows.hasValueBetween(condition.table, condition.column, BigInt(condition.from), to)
  })
  // A real server's process ends here.
  if (change.atServer === 'fails' && rows.rowCount(change.subject.name) > 0) return ['the server crashed']
  return isTaken ? [`Precheck failed: added sequence ${change.sequence} already has values in range`] : []
}

function removedTableProblem(change: Change, rows: Rows): readonly string[] {
  if (change.kind !== 'table-removed' || rows.rowCount(change.subject.name) === 0) return []
  return [
    `Cannot remove table \`${change.subject.name}\`: table contains data. Clear the table's rows (e.g. via a reducer) ` +
      'before removing it from your schema.'
  ]
}

function layoutProblem(change: Change): readonly string[] {
  if (change.kind !== 'column-type-changed' || change.atServer !== 'fails') return []
  return [`DatastoreError: TableError: Cannot change the columns of table \`${change.subject.name}\`: other layout`]
}

function privateRuleProblem(change: Change): readonly string[] {
  if (change.kind !== 'table-access-changed' || change.atServer !== 'fails') return []
  const advice = 'Please make table public if you wish to restrict access using RLS.'
  return [`Cannot define RLS rule on private table: ${change.subject.name}. ${advice}`]
}

function uniqueProblem(change: Change, before: Schema, after: Schema, rows: Rows): readonly string[] {
  if (change.kind !== 'unique-constraint-added' || change.conditions.length === 0) return []
  const name = change.subject.name
  const value = repeatedValue(change, rows)
  if (value === undefined) return []
  const index = indexOn(after, name, change.columns)
  const columns = JSON.stringify(change.columns)
  const hadIndex = tableOf(before, name)?.indexes.some((other) => other.name === index?.name)
  if (hadIndex) {
    const groups = `1 duplicate group(s) found.\n  - ${value} appears more than once`
    return [`DatastoreError: Cannot add unique constraint on table ${name} column(s) ${columns}:\n${groups}`]
  }
  return [
    `DatastoreError: IndexError: Unique constraint violation '${index?.name}' in table '${name}': ` +
      `column(s): '${columns}' value: ${value}`
  ]
}

function repeatedValue(change: Change, rows: Rows): string | undefined {
  for (const condition of change.conditions) {
    if (condition.kind === 'values-distinct') return rows.repeatedValue(condition.table, condition.columns)
    if (condition.kind === 'at-most-one-row' && rows.rowCount(condition.table) > 1) return 'the default'
  }
  return undefined
}

function tableOf(schema: Schema, name: string): Table | undefined {
  return schema.tables.find((table) => table.name === name)
}

function indexOn(schema: Schema, table: string, columns: readonly string[]) {
  const wanted = [...columns].sort().join()
  return tableOf(schema, table)?.indexes.find((index) => [...index.columns].sort().join() === wanted)
}
