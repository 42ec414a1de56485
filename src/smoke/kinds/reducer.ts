import { inOneLine } from '../../one-line.ts'
import type { Check } from '../check.ts'
import type { Finding } from '../check-report.ts'
import type { RunCheck } from '../place.ts'
import { callForCheck, passedIn, type RunAnswer, tooSlow } from './calling.ts'

/** Calls a reducer; it ends as it should. What it says itself is final. */
export const runReducer: RunCheck<'reducer'> = async (check, place, attempt) => {
  const called = await callForCheck(check, place, attempt)
  return 'finding' in called ? called.finding : judge(check.wanted, called.answer)
}

function judge(wanted: Check<'reducer'>['wanted'], answer: RunAnswer): Finding {
  const expected = endText(wanted.expect)
  if (answer.kind === 'failed') {
    if (isExpected(wanted.expect, answer.reason)) return { kind: 'passed', detail: errorText(answer.reason) }
    return { kind: 'failed', expected, actual: errorText(answer.reason), final: true }
  }
  if (wanted.expect !== 'ok') return { kind: 'failed', expected, actual: 'ok', final: true }
  return tooSlow(answer, wanted['max-duration']) ?? passedIn(answer, 'ok')
}

type Expected = Check<'reducer'>['wanted']['expect']

function isExpected(expected: Expected, reason: string): boolean {
  if (expected === 'ok') return false
  const { error } = expected
  if (error === true) return true
  return typeof error === 'string' ? reason.includes(error) : new RegExp(error.matches, 'u').test(reason)
}

function endText(expected: Expected): string {
  if (expected === 'ok') return 'ok'
  const { error } = expected
  if (error === true) return 'an error'
  return typeof error === 'string'
    ? `an error with ${JSON.stringify(error)}`
    : `an error that matches /${error.matches}/`
}

/** What the server says when a reducer panicked; its text is in the log only (docs/server-behaviour.md, "Calls"). */
const panicked = 'The instance encountered a fatal error.'

/** What a reducer ended with, for the reader. */
export function errorText(reason: string): string {
  return reason === panicked ? `a panic, whose text is in the log (${panicked})` : `error: ${inOneLine(reason, 300)}`
}
