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
  const texts = changes.slice(0, mostListed).map(subjectText)
  const more = changes.length - texts.length
  return texts.join('; ') + (more > 0 ? `; and ${more} more` : '')
}

/** What goes is named; of what only changes it is said how. */
function subjectText(change: Change): string {
  const { kind, subject } = change
  const whole = `${subject.kind.replaceAll('-', ' ')} ${code(subject.name)}`
  switch (kind) {
    case 'column-removed':
      return `column ${code(change.column)} of ${whole}`
    case 'index-removed':
      return `index ${code(change.index)} of ${whole}`
    case 'sequence-removed':
      return `sequence ${code(change.sequence)} of ${whole}`
    case 'unique-constraint-removed':
      return `unique constraint ${code(change.constraint)} of ${whole}`
    default:
      return kind === `${subject.kind}-removed` ? whole : escapeMarkdown(changeText(change))
  }
}
