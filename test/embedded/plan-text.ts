import type { Change } from '../../src/migration/change.ts'
import { viewResult } from '../../src/migration/diff-views.ts'
import { resolve } from '../../src/migration/type-structure.ts'
import { serverTypeText } from '../../src/migration/type-text.ts'
import type { AlgebraicType, Element } from '../../src/module/algebraic-type.ts'
import { decode, valueCodec } from '../../src/module/bsatn.ts'
import type { Column, Index, Schema, Table, View } from '../../src/module/schema.ts'

export type PlanStyle = 'NoColor' | 'AnsiColor'

/** A plan in the server's words. Its steps come in the server's order: what is removed before what is added. */
export function planText(before: Schema, after: Schema, changes: readonly Change[], style: PlanStyle): string {
  const paint = style === 'NoColor' ? plain : ansi
  const line = '━'.repeat(60)
  const writer = { before, after, paint }
  const steps = stepKinds.flatMap((step) => step(changes, writer))
  return [line, paint('Database Migration Plan', 'blue', true), line, '', ...steps, ''].join('\n')
}

type Writer = { readonly before: Schema; readonly after: Schema; readonly paint: Paint }
type Paint = (text: string, color: Color, bold?: boolean) => string
type Color = 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'onRed'

const colorCodes = { red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36, onRed: 41 } as const

const plain: Paint = (text) => text
const ansi: Paint = (text, color, bold) =>
  `\u001b[0m${bold ? '\u001b[1m' : ''}\u001b[${colorCodes[color]}m${text}\u001b[0m`

/** One kind of step: the lines of all of them. */
type StepKind = (changes: readonly Change[], writer: Writer) => readonly string[]

const stepKinds: readonly StepKind[] = [
  each(['index-removed', 'index-changed', 'index-renamed'], (change, writer) => {
    return 'index' in change ? indexLine('Removed', change.index, change, writer.before, writer) : []
  }),
  each(['unique-constraint-removed'], (change, writer) => constraintLine('Removed', change, writer)),
  each(['sequence-removed', 'sequence-changed'], (change, writer) => {
    return sequenceLine('Removed', change, writer.before, writer)
  }),
  each(['schedule-removed', 'schedule-changed'], (change, writer) => {
    return scheduleLine('Removed', change, writer.before, writer)
  }),
  viewSteps('Removed'),
  each(['row-level-security-removed'], (change, writer) => ruleLines('Removed', change, writer)),
  each(['table-removed'], ({ subject }, { paint }) => [
    `▸ ${action('Removed', paint)} table: ${tableName(subject.name, paint)}`,
    ''
  ]),
  columnSteps,
  each(['table-accessor-changed'], ({ subject }, writer) => [
    ...keptIndexes(subject.name, writer).map((index) => {
      return `▸ ${action('Changed', writer.paint)} ${indexText(index, subject.name, writer.paint)}`
    }),
    `▸ ${action('Changed', writer.paint)} table accessor name for ${tableName(subject.name, writer.paint)}`
  ]),
  each(['table-added'], ({ subject }, writer) => addedTable(subject.name, writer)),
  each(['index-added', 'index-changed', 'index-renamed'], (change, writer) => {
    const name = change.kind === 'index-renamed' ? change.newName : 'index' in change ? change.index : ''
    return indexLine('Created', name, change, writer.after, writer)
  }),
  each(['unique-constraint-added'], (change, writer) => constraintLine('Created', change, writer)),
  each(['sequence-added', 'sequence-changed'], (change, writer) => {
    return sequenceLine('Created', change, writer.after, writer)
  }),
  each(['schedule-added', 'schedule-changed'], (change, writer) => {
    return scheduleLine('Created', change, writer.after, writer)
  }),
  viewSteps('Created'),
  each(['row-level-security-added'], (change, writer) => ruleLines('Created', change, writer)),
  each(['table-access-changed'], ({ subject, before, after }, { paint }) => [
    `▸ ${action('Changed', paint)} access for table ${tableName(subject.name, paint)} (${paint(`${before} → ${after}`, 'green')})`
  ]),
  each(['primary-key-changed'], primaryKeyLine),
  (changes, { paint }) =>
    changes.some((change) => change.atServer === 'disconnects')
      ? [paint('!!! Warning: All clients will be disconnected due to breaking schema changes', 'onRed', true)]
      : []
]

function each(
  kinds: readonly Change['kind'][],
  write: (change: Change, writer: Writer) => readonly string[]
): StepKind {
  return (changes, writer) =>
    changes.filter((change) => kinds.includes(change.kind)).flatMap((change) => write(change, writer))
}

type Action = 'Created' | 'Removed' | 'Changed'

function action(action: Action, paint: Paint): string {
  return paint(action, action === 'Created' ? 'green' : action === 'Removed' ? 'red' : 'yellow', true)
}

function tableName(name: string, paint: Paint): string {
  return paint(name, 'cyan', true)
}

function tableOf(schema: Schema, name: string): Table | undefined {
  return schema.tables.find((table) => table.name === name)
}

/** The indexes that a table has before and after: their source names begin with the table's accessor. */
function keptIndexes(table: string, { before, after }: Writer): readonly Index[] {
  const earlier = new Set(tableOf(before, table)?.indexes.map(({ name }) => name))
  return tableOf(after, table)?.indexes.filter(({ name }) => earlier.has(name)) ?? []
}

function indexText(index: { name: string; columns: readonly string[] }, table: string, paint: Paint): string {
  return `index ${index.name} on [${index.columns.join(', ')}] of table ${tableName(table, paint)}`
}

function indexLine(kind: Action, name: string, change: Change, schema: Schema, { paint }: Writer): readonly string[] {
  const index = tableOf(schema, change.subject.name)?.indexes.find((index) => index.name === name)
  return index ? [`▸ ${action(kind, paint)} ${indexText(index, change.subject.name, paint)}`] : []
}

function constraintLine(kind: Action, change: Change, { paint }: Writer): readonly string[] {
  if (!('constraint' in change)) return []
  const what = `unique constraint ${change.constraint} on [${change.columns.join(', ')}]`
  return [`▸ ${action(kind, paint)} ${what} of table ${tableName(change.subject.name, paint)}`]
}

function sequenceLine(kind: Action, change: Change, schema: Schema, { paint }: Writer): readonly string[] {
  if (!('sequence' in change)) return []
  const sequence = tableOf(schema, change.subject.name)?.sequences.find(({ name }) => name === change.sequence)
  const what = `auto-increment constraint ${change.sequence} on column ${sequence?.column}`
  return [`▸ ${action(kind, paint)} ${what} of table ${tableName(change.subject.name, paint)}`]
}

function scheduleLine(kind: Action, change: Change, schema: Schema, { paint }: Writer): readonly string[] {
  const table = tableOf(schema, change.subject.name)
  const calling = table && calledFunction(table, schema)
  return [`▸ ${action(kind, paint)} schedule for table ${tableName(change.subject.name, paint)} calling ${calling}`]
}

/** `reducer run_restock`, in the given separation. */
function calledFunction(table: Table, schema: Schema, separator = ' '): string {
  const name = table.schedule?.functionName ?? ''
  return (schema.procedures.some((procedure) => procedure.name === name) ? 'procedure' : 'reducer') + separator + name
}

function ruleLines(kind: Action, { subject }: Change, { paint }: Writer): readonly string[] {
  return [`▸ ${action(kind, paint)} row level security policy:`, `    \`${paint(subject.name, 'blue')}\``]
}

function primaryKeyLine({ subject }: Change, { after, paint }: Writer): readonly string[] {
  const table = tableOf(after, subject.name)
  const column = table?.columns.findIndex(({ name }) => name === table.primaryKey)
  const what = table?.primaryKey === undefined ? 'removed' : `added on column ${column}`
  return [`▸ ${action('Changed', paint)} primary key on table ${tableName(subject.name, paint)} (${what})`]
}

/** A view that is there before and after is removed and created again; the server's bullet is doubled. */
function viewSteps(kind: 'Created' | 'Removed'): StepKind {
  return (changes, writer) => {
    const concerned = changes.filter(({ subject, kind, atServer }) => {
      return subject.kind === 'view' && (atServer === 'disconnects' || kind === 'view-added')
    })
    const schema = kind === 'Created' ? writer.after : writer.before
    const names = new Set(concerned.map(({ subject }) => subject.name))
    return schema.views.filter(({ name }) => names.has(name)).flatMap((view) => viewLines(kind, view, schema, writer))
  }
}

function viewLines(kind: Action, view: View, schema: Schema, { paint }: Writer): readonly string[] {
  const row = resolve(viewResult(view, { schema }).row, schema.typespace)
  const columns = row.kind === 'product' ? row.elements : []
  return [
    `▸ ▸ ${action(kind, paint)}${view.isAnonymous ? ' anonymous' : ''} view: ${tableName(view.name, paint)}`,
    ...section('Parameters:', fields(view.parameters, schema, paint), paint),
    ...section('Columns:', fields(columns, schema, paint), paint),
    ''
  ]
}

function section(title: string, items: readonly string[], paint: Paint): readonly string[] {
  if (items.length === 0) return []
  return [`    ${paint(title, 'blue', true)}`, ...items.map((item) => `        • ${item}`)]
}

function fields(elements: readonly Element[], schema: Schema, paint: Paint): readonly string[] {
  return elements.map((element, at) => `${element.name ?? at}: ${typeText(element.type, schema, paint)}`)
}

function typeText(type: AlgebraicType, schema: Schema, paint: Paint): string {
  return paint(serverTypeText(type, schema.typespace), 'magenta')
}

function addedTable(name: string, { after, paint }: Writer): readonly string[] {
  const table = tableOf(after, name)
  if (!table) return []
  const on = (item: { name: string; columns: readonly string[] }) => `${item.name} on [${item.columns.join(', ')}]`
  const schedule = table.schedule ? [`Calls ${calledFunction(table, after, ': ')}`] : []
  return [
    `▸ ${action('Created', paint)} user table: ${tableName(name, paint)} (${paint(table.access, 'green')})`,
    ...section('Columns:', fields(table.columns, after, paint), paint),
    ...section('Unique constraints:', table.uniqueConstraints.map(on).sort(), paint),
    ...section('Indexes:', table.indexes.map(on).sort(), paint),
    ...section('Auto-increment constraints:', table.sequences.map((s) => `${s.name} on ${s.column}`).sort(), paint),
    ...section('Schedule:', schedule, paint),
    ''
  ]
}

/** What a table's columns change in: the server tells of added columns and then of nothing else. */
function columnSteps(changes: readonly Change[], { before, after, paint }: Writer): readonly string[] {
  const concerned = changes.filter(({ kind, atServer }) => {
    return kind.startsWith('column') && (atServer === 'planned' || atServer === 'disconnects' || atServer === 'fails')
  })
  const names = [...new Set(concerned.map(({ subject }) => subject.name))]
  const columnType = (schema: Schema, table: string, name: string) => {
    const column = tableOf(schema, table)?.columns.find((column) => column.name === name)
    return column ? typeText(column.type, schema, paint) : ''
  }
  const modified = (table: string, column: string) =>
    `    ~ Modified: ${column} (${columnType(before, table, column)} → ${columnType(after, table, column)})`
  return names.flatMap((name) => {
    const ofTable = concerned.filter(({ subject }) => subject.name === name)
    const added = ofTable.flatMap((change) => (change.kind === 'column-added' ? [change.column] : []))
    if (tableOf(before, name)?.isEvent) {
      return [`▸ ${action('Changed', paint)} schema of event table ${tableName(name, paint)}`]
    }
    if (added.length === 0) {
      const lines = ofTable.flatMap((change) => ('column' in change ? [modified(name, change.column)] : []))
      return [`▸ ${action('Changed', paint)} columns for table ${tableName(name, paint)}`, ...lines]
    }
    const columns = tableOf(after, name)?.columns.filter((column) => added.includes(column.name)) ?? []
    const plural = columns.length > 1 ? 's' : ''
    return [
      `▸ ${action('Created', paint)} column${plural} in table ${tableName(name, paint)}`,
      ...columns.map(
        (column) => `    + ${column.name}: ${typeText(column.type, after, paint)}${defaultText(column, after)}`
      )
    ]
  })
}

/** A default as the server prints it: `(default: I64(⏎    1,⏎))`. */
function defaultText({ type, defaultValue }: Column, { typespace }: Schema): string {
  if (defaultValue === undefined) return ''
  const value = decode(valueCodec(type, typespace), Uint8Array.from(Buffer.from(defaultValue, 'hex')))
  const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
  const text = typeof value === 'string' ? JSON.stringify(value) : isPlain ? String(value) : `0x${defaultValue}`
  return ` (default: ${serverTypeText(type, typespace)}(\n    ${text},\n))`
}
