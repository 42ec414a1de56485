import type { Table } from '../module/schema.ts'

/** A table in a rule, with its alias: any word but those that can follow a table's name. */
const source = /\b(?:from|join)\s+("[^"]+"|\w+)(?:\s+(?:as\s+)?(?!(?:where|join|inner|on)\b)("[^"]+"|\w+))?/gi

/** Whether a row-level security rule (`SELECT item.* FROM item JOIN … WHERE …`) is about the rows of a table. */
export function isRuleOf(sql: string, table: Table): boolean {
  const name = returnedName(sql)
  return name !== undefined && (name === table.name || name === table.accessor)
}

/** What the returned table is called in the rule; `undefined` when that can't be told. */
function returnedName(sql: string): string | undefined {
  const [, projected] = /^\s*select\s+(?:("[^"]+"|\w+)\s*\.\s*)?\*\s+from\s/i.exec(sql) ?? []
  const wanted = projected && unquoted(projected)
  for (const [, table = '', alias = table] of sql.matchAll(source)) {
    if (wanted === undefined || unquoted(alias) === wanted) return unquoted(table)
  }
  return undefined
}

function unquoted(name: string): string {
  return name.replace(/^"(.*)"$/, '$1')
}
