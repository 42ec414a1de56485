import { type Server, ServerFailure } from '../spacetimedb/server.ts'
import { sqlName } from '../spacetimedb/sql-name.ts'
import { conditionText } from './condition.ts'
import type { Condition } from './verdict.ts'

/** Whether the data is as a condition wants it, now; `detail` says what was found, or why that isn't known. */
export type CheckedCondition = {
  readonly condition: Condition
  readonly state: 'met' | 'unmet' | 'unknown'
  readonly detail: string
}

/**
 * Asks the database, by SQL, whether its data meets some conditions. The answer is of this moment: rows may come and go
 * before anything is published. What can't be asked (a private table without the owner's credential, too many rows to
 * compare, an answer that takes too long) is `unknown`. Throws nothing that a server does.
 */
export async function checkConditions(
  server: Server,
  database: string,
  conditions: readonly Condition[]
): Promise<CheckedCondition[]> {
  const checked: CheckedCondition[] = []
  for (const condition of conditions) checked.push({ condition, ...(await check(server, database, condition)) })
  return checked
}

/** The conditions that the data does not meet, in one sentence each: what was asked for, and what was found. */
export function unmetTexts(checked: readonly CheckedCondition[]): string[] {
  return checked
    .filter(({ state }) => state === 'unmet')
    .map(
      ({ condition, detail }) => `The server can publish this only while ${conditionText(condition)}, but ${detail}.`
    )
}

type Finding = Omit<CheckedCondition, 'condition'>

/** More rows than this are not fetched to be compared. */
const mostRows = 200_000

async function check(server: Server, database: string, condition: Condition): Promise<Finding> {
  const ask = async (statement: string) => {
    const answer = await server.sql(database, statement)
    if (answer.kind === 'rejected') throw new Unanswered(answer.reason)
    return answer.rows
  }
  try {
    return await findOut(ask, condition)
  } catch (failure) {
    if (failure instanceof Unanswered) return unknown(failure.message)
    if (failure instanceof ServerFailure) return unknown(failure.message)
    throw failure
  }
}

class Unanswered extends Error {}

type Ask = (statement: string) => Promise<readonly (readonly unknown[])[]>

async function findOut(ask: Ask, condition: Condition): Promise<Finding> {
  switch (condition.kind) {
    case 'table-empty':
      return atMost(await countRows(ask, condition.table), 0, 'there')
    case 'at-most-one-row':
      return atMost(await countRows(ask, condition.table), 1, 'there')
    case 'values-distinct':
      return distinctValues(ask, condition.table, condition.columns)
    case 'sequence-range-free':
      return atMost(await countRows(ask, condition.table, rangeOf(condition)), 0, 'in that range')
  }
}

function atMost(rows: bigint, most: number, where: string): Finding {
  const detail = rows === 1n ? `1 row is ${where}` : `${rows} rows are ${where}`
  return { state: rows <= BigInt(most) ? 'met' : 'unmet', detail }
}

function unknown(detail: string): Finding {
  return { state: 'unknown', detail }
}

async function countRows(ask: Ask, table: string, where = ''): Promise<bigint> {
  const [[count] = []] = await ask(`SELECT COUNT(*) AS n FROM ${sqlName(table)}${where}`)
  if (typeof count !== 'number' && typeof count !== 'bigint') throw new Unanswered('the count was no number')
  return BigInt(count)
}

function rangeOf({ column, from, to }: Extract<Condition, { kind: 'sequence-range-free' }>): string {
  const end = to === undefined ? '' : ` AND ${sqlName(column)} <= ${to}`
  return ` WHERE ${sqlName(column)} >= ${from}${end}`
}

/** The server's SQL has neither `DISTINCT` nor `GROUP BY`, so the values are compared here. */
async function distinctValues(ask: Ask, table: string, columns: readonly string[]): Promise<Finding> {
  const rows = await countRows(ask, table)
  if (rows > mostRows) return unknown(`there are ${rows} rows, too many to compare`)
  const values = await ask(`SELECT ${columns.map(sqlName).join(', ')} FROM ${sqlName(table)}`)
  const distinct = new Set(values.map(textOf))
  const repeated = values.length - distinct.size
  const detail =
    repeated === 0 ? 'no values repeat' : `${repeated} of ${values.length} rows repeat the values of another`
  return { state: repeated === 0 ? 'met' : 'unmet', detail }
}

function textOf(row: readonly unknown[]): string {
  return JSON.stringify(row, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
}
