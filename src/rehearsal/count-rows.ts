import type { Schema } from '../module/schema.ts'
import { sqlName } from '../spacetimedb/sql-name.ts'
import type { Ask } from './ask.ts'

/** How many rows a table has; `undefined` where this may not be asked. Throws `Stopped`. */
export async function countRows(ask: Ask, table: string, where?: string): Promise<bigint | undefined> {
  const condition = where === undefined ? '' : ` WHERE (${where})`
  const answer = await ask(`SELECT COUNT(*) AS n FROM ${sqlName(table)}${condition}`)
  const count = answer.kind === 'rows' ? answer.rows[0]?.[0] : undefined
  return typeof count === 'number' || typeof count === 'bigint' ? BigInt(count) : undefined
}

/** The rows of each table that keeps some, as far as they may be counted. Throws `Stopped`. */
export async function countAll(ask: Ask, { tables }: Pick<Schema, 'tables'>): Promise<ReadonlyMap<string, bigint>> {
  const counts = new Map<string, bigint>()
  for (const { name, isEvent } of tables) {
    const rows = isEvent ? undefined : await countRows(ask, name)
    if (rows !== undefined) counts.set(name, rows)
  }
  return counts
}
