import { type CheckedCondition, checkConditions, unmetTexts } from '../migration/check-conditions.ts'
import { conditionText } from '../migration/condition.ts'
import type { Condition } from '../migration/verdict.ts'
import type { Ending } from './deployment.ts'
import type { Work } from './work.ts'

/**
 * How the release ends when the data does not allow it now; `undefined` when it does. The server would find it too, but
 * only when it publishes, and would say less. What can't be asked is left to it.
 */
export async function unfitData(work: Work): Promise<Ending | undefined> {
  const unmet = await lookAtData(work, work.findings.judgement?.conditions ?? [])
  if (unmet.length === 0) return undefined
  const reason = unmetTexts(unmet).join('\n')
  return { result: 'refused', live: { kind: 'previous' }, reason, unmet: unmet.map(({ condition }) => condition) }
}

async function lookAtData(
  { request, tools, journal }: Work,
  judged: readonly Condition[]
): Promise<CheckedCondition[]> {
  if (judged.length === 0) return []
  return journal.step('Look at the data', async (step) => {
    const checked = await checkConditions(tools.server, request.database, judged)
    for (const { condition, state, detail } of checked) {
      if (state === 'unknown') journal.warn(`Whether ${conditionText(condition)} could not be found out: ${detail}`)
    }
    const unmet = checked.filter(({ state }) => state === 'unmet')
    if (unmet.length > 0) step.fail(unmetTexts(unmet).join(' '))
    else step.detail(`${checked.filter(({ state }) => state === 'met').length} of ${checked.length} conditions are met`)
    return unmet
  })
}
