import { code, escapeMarkdown } from '../../markdown.ts'
import { type Change, changeText } from '../../migration/change.ts'
import { conditionText } from '../../migration/condition.ts'
import type { MigrationJudgement } from '../../migration/judgement.ts'
import type { Condition } from '../../migration/verdict.ts'

/**
 * What a rollback does, for whoever decides about it: what goes away, which clients break, what the data must be like.
 * Markdown list items. `unmet`: the conditions that the data does not meet now.
 */
export function effectsOf(
  { changes, conditions, serverPlan }: MigrationJudgement,
  unmet: readonly Condition[] = []
): string[] {
  const gone = changes.filter(({ kind }) => kind.endsWith('-removed'))
  const breaking = changes.filter(({ verdict }) => verdict === 'breaks-clients')
  const disconnects = serverPlan?.kind === 'automatic' && serverPlan.breaksClients
  const once = disconnects ? 'All are disconnected once. ' : ''
  return [
    `- **Goes away:** ${gone.length === 0 ? 'nothing that is declared' : listOf(gone)}. Rows that were written since stay as they are.`,
    `- **Clients:** ${once}${breaking.length === 0 ? 'None breaks' : `These changes break clients that run now: ${listOf(breaking)}`}.`,
    ...conditions.map((condition) => `- **Needed:** ${needText(condition, unmet)}`)
  ]
}

function needText(condition: Condition, unmet: readonly Condition[]): string {
  const isUnmet = unmet.some((each) => conditionText(each) === conditionText(condition))
  return `${escapeMarkdown(conditionText(condition))}${isUnmet ? ' – **it is not so now**' : ''}.`
}

const mostListed = 10

function listOf(changes: readonly Change[]): string {
  const texts = changes.slice(0, mostListed).map((change) => {
    return change.kind === 'table-removed' ? `table ${code(change.subject.name)}` : escapeMarkdown(changeText(change))
  })
  const more = changes.length - texts.length
  return texts.join('; ') + (more > 0 ? `; and ${more} more` : '')
}
