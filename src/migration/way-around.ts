import { code } from '../markdown.ts'
import type { Change } from './change.ts'

/** How to make changes of one thing that the server can't make in place, for whoever has to write the code. */
export type WayAround = {
  /** What it is about: a table's name. */
  readonly table: string
  /** Smaller ways out, each for one of the changes: Markdown, a sentence or more. */
  readonly instead: readonly string[]
  /** A way that always works, release by release: Markdown. None where one of `instead` is all there is to do. */
  readonly releases: readonly string[]
}

/**
 * Ways that do work for all changes whose verdict is `manual`, with the names that they are about
 * (docs/verdicts.md, "What to do instead of a manual change"). In the order of the changes.
 */
export function waysAround(changes: readonly Change[]): WayAround[] {
  const tables = new Map<string, Change[]>()
  for (const change of changes) {
    if (change.subject.kind !== 'table') continue
    const ofTable = tables.get(change.subject.name) ?? []
    tables.set(change.subject.name, [...ofTable, change])
  }
  return [...tables].flatMap(([table, all]) => {
    const impossible = all.filter(({ verdict }) => verdict === 'manual')
    return impossible.length === 0 ? [] : [wayAround(table, impossible, all)]
  })
}

function wayAround(table: string, impossible: readonly Change[], all: readonly Change[]): WayAround {
  const instead = impossible.flatMap((change) => insteadOf(table, change, all))
  if (impossible.some(({ kind }) => kind.startsWith('schedule-')))
    return { table, instead, releases: reschedule(table) }
  if (impossible.some(({ kind }) => rewriting.has(kind)))
    return { table, instead, releases: newTable(table, impossible) }
  return { table, instead, releases: [] }
}

/** What rows would have to be rewritten for. */
const rewriting: ReadonlySet<Change['kind']> = new Set([
  'column-added',
  'column-removed',
  'columns-moved',
  'column-type-changed',
  'table-event-changed'
])

function insteadOf(table: string, change: Change, all: readonly Change[]): string[] {
  const { before = '', after = '' } = change
  switch (change.kind) {
    case 'column-added':
      return [
        `Put ${code(change.column)} **last**, with a **default** (Rust: \`#[default(…)]\`, \`None\` for an option): then it is ` +
          '`breaks-clients` and can not be taken back.',
        `Or keep it in a table of its own, such as ${code(`${table}_${change.column}`)}, with the same key as ${code(table)}: ` +
          'that is `compatible` and can be rolled back.'
      ]
    case 'column-removed':
      return [`Leave ${code(change.column)} where it is and stop using it: it costs its memory and nothing else.`]
    case 'columns-moved':
      return [`Leave the columns in the order that is live: ${code(before)}.${newOnesLast(all)}`]
    case 'column-type-changed':
      return [
        `Leave ${code(change.column)} a ${code(before)} and add ${code(nextName(change.column))}: ${code(after)} **last**, with a ` +
          'default; a reducer fills it from the old one. That is `breaks-clients` and can not be taken back.'
      ]
    case 'index-accessor-changed':
      return [
        `Make it two releases: remove the index ${code(change.index)} with the first, and add it with the accessor ` +
          `${code(change.newAccessor ?? '')} with the second.`
      ]
    case 'unique-constraint-changed':
      return [
        `Make it two releases: remove the constraint ${code(change.constraint)} with the first, and add it anew with the second.`
      ]
    case 'sequence-added':
    case 'sequence-changed':
      return ['Make it two releases: add the column with the first, and `auto_inc` with the second.']
    case 'table-access-changed':
      return ['Make it two releases: the table becomes public with the first, and gets its rule with the second.']
    default:
      return []
  }
}

function newOnesLast(all: readonly Change[]): string {
  const added = all.flatMap((change) => (change.kind === 'column-added' ? code(change.column) : []))
  return added.length === 0 ? '' : ` What is new comes after them: ${added.join(', ')}.`
}

/** Adding something beside, moving the data by a reducer, and leaving the old behind. */
function newTable(table: string, impossible: readonly Change[]): string[] {
  const [old, next] = [code(table), code(nextName(table))]
  return [
    `**Release 1** (\`compatible\`): leave ${old} as it is live and add ${next}, ${asWanted(impossible)}. Reducers write to both and ` +
      `read from ${old}. A new reducer copies a limited number of rows that ${next} does not have yet.`,
    `Call that reducer until ${code(`SELECT COUNT(*) AS n FROM ${nextName(table)}`)} says as many as ${code(`… FROM ${table}`)}.`,
    `**Clients**: generate their code anew, let them use ${next}, and release them.`,
    `**Release 2** (\`compatible\`): reducers use ${next} only. Until here nothing is lost by going back.`,
    `**Release 3** (\`breaks-clients\`): remove ${old}, when it is empty and no client uses it any more. Or keep it.`
  ]
}

function asWanted(impossible: readonly Change[]): string {
  const wanted = impossible.map((change) => {
    switch (change.kind) {
      case 'column-added':
        return `with ${code(change.column)}: ${code(change.after ?? '')}`
      case 'column-removed':
        return `without ${code(change.column)}`
      case 'columns-moved':
        return `its columns in the order ${code(change.after ?? '')}`
      case 'column-type-changed':
        return `${code(change.column)} being a ${code(change.after ?? '')}`
      case 'table-event-changed':
        return `an ${change.after === 'event table' ? 'event' : 'ordinary'} table`
      default:
        return undefined
    }
  })
  return wanted.filter((text) => text !== undefined).join(', ')
}

function reschedule(table: string): string[] {
  const [old, next] = [code(table), code(nextName(table))]
  return [
    `**Release 1** (\`compatible\`): leave ${old} and its function as they are live, and add the table ${next} with the schedule that ` +
      `you want. From now on rows are put into ${next}.`,
    `**Release 2** (\`breaks-clients\`): remove ${old} and its function, when ${old} is empty.`
  ]
}

/** A name for what comes beside something: `player_v2` for `player`, `player_v3` for `player_v2`. */
function nextName(name: string): string {
  const [, stem = name, number] = /^(.*)_v(\d+)$/.exec(name) ?? []
  return `${stem}_v${Number(number ?? 1) + 1}`
}
