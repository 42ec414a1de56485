import type { Condition } from './verdict.ts'

/** What must hold, as the end of a sentence that begins with «as long as»: `table audit is empty`. */
export function conditionText(condition: Condition): string {
  switch (condition.kind) {
    case 'table-empty':
      return `table ${condition.table} is empty`
    case 'at-most-one-row':
      return `table ${condition.table} has at most one row`
    case 'values-distinct':
      return `no two rows of table ${condition.table} have the same ${condition.columns.join(' and ')}`
    case 'sequence-range-free': {
      const to = condition.to === undefined ? 'on' : `to ${condition.to}`
      return `no row of table ${condition.table} has a ${condition.column} from ${condition.from} ${to}`
    }
  }
}

/** The conditions without repetitions. */
export function distinctConditions(conditions: readonly Condition[]): readonly Condition[] {
  return [...new Map(conditions.map((condition) => [JSON.stringify(condition), condition])).values()]
}
