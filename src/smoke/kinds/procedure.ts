import { inOneLine } from '../../one-line.ts'
import type { Check } from '../check.ts'
import type { Finding } from '../check-report.ts'
import { jsonDifference } from '../json-difference.ts'
import type { RunCheck } from '../place.ts'
import { answerMeant } from '../procedure-answer.ts'
import { jsonText } from '../shown-value.ts'
import { callForCheck, passedIn, type RunAnswer, tooSlow } from './calling.ts'

/** Calls a procedure; it returns what it should. Without `returns`, anything but an `Err`. */
export const runProcedure: RunCheck<'procedure'> = async (check, place, attempt) => {
  const called = await callForCheck(check, place, attempt)
  if ('finding' in called) return called.finding
  const { wanted } = check
  return judge(wanted, 'returns' in wanted ? called.answer : answerMeant(wanted.procedure, called.answer, place.schema))
}

function judge(wanted: Check<'procedure'>['wanted'], answer: RunAnswer): Finding {
  if (answer.kind === 'failed') {
    const expected = 'returns' in wanted ? inOneLine(jsonText(wanted.returns), 200) : 'a value'
    return { kind: 'failed', expected, actual: `error: ${inOneLine(answer.reason, 300)}`, final: true }
  }
  const difference = 'returns' in wanted ? jsonDifference(wanted.returns, answer.value) : undefined
  if (difference !== undefined) return { kind: 'failed', ...difference }
  return (
    tooSlow(answer, wanted['max-duration']) ?? passedIn(answer, `returned ${inOneLine(jsonText(answer.value), 100)}`)
  )
}
