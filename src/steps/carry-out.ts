import { stringify } from 'lossless-json'
import { orCancelled } from '../cancellation.ts'
import type { Clock } from '../clock.ts'
import { inUnits } from '../duration.ts'
import { messageOf } from '../errors.ts'
import { inOneLine } from '../one-line.ts'
import { defaultPatience, withRetries } from '../retry.ts'
import { changedNothing } from '../spacetimedb/failure-kinds.ts'
import { type CallAnswer, type Server, ServerFailure, type SqlAnswer } from '../spacetimedb/server.ts'
import { isSelect } from '../spacetimedb/sql-answer.ts'
import { type Finding, look } from './condition.ts'
import type { Call, Condition, Step } from './steps-file.ts'

/** What came of one step. */
export type StepResult =
  | { readonly kind: 'done'; readonly detail: string }
  | { readonly kind: 'failed' | 'cancelled'; readonly reason: string; readonly effect: Effect }

/** What a step that did not end well has done to the data: nothing, a part of it, or nobody knows. */
export type Effect = 'none' | 'part' | 'unknown'

/** What a step works with. */
export type Workplace = {
  readonly server: Pick<Server, 'call' | 'sql'>
  readonly database: string
  readonly clock: Clock
  readonly cancelled: AbortSignal
  readonly tell: (text: string) => void
}

/** Does one step. It ends by the step's timeout, or when the job is cancelled; throws nothing. */
export function carryOut(step: Step, place: Workplace): Promise<StepResult> {
  const deadline = place.clock.now() + step.timeout
  switch (step.kind) {
    case 'call':
      return callOnce(step, place, deadline)
    case 'sql':
      return runStatement(step.statement, place, deadline)
    case 'wait':
      return waitUntil(step, place, deadline)
    case 'repeat':
      return repeatUntil(step, place, deadline)
  }
}

async function callOnce(call: Call, place: Workplace, deadline: number): Promise<StepResult> {
  const called = await callReducer(call, place, deadline)
  if (called.kind !== 'ok') return called
  const returned = called.value === undefined ? [] : [`it returned ${inOneLine(stringify(called.value) ?? '')}`]
  return { kind: 'done', detail: ['called', ...returned, ...tookText(called.durationMicros)].join(', ') }
}

type Called = Extract<CallAnswer, { readonly kind: 'ok' }> | Exclude<StepResult, { readonly kind: 'done' }>

async function callReducer({ reducer, args }: Call, place: Workplace, deadline: number): Promise<Called> {
  const { server, database } = place
  const sent = await sendOnce(place, deadline, (timeout) => server.call(database, reducer, args, timeout))
  if (sent.kind !== 'answered') return stopped(sent, 'The call')
  switch (sent.answer.kind) {
    case 'ok':
      return sent.answer
    case 'failed':
      return { kind: 'failed', reason: sentence(`${reducer} failed: ${sent.answer.reason}`), effect: 'none' }
    case 'rejected': {
      const { status, reason } = sent.answer
      return { kind: 'failed', reason: sentence(`${reducer} was not run (HTTP ${status}): ${reason}`), effect: 'none' }
    }
  }
}

async function runStatement(statement: string, place: Workplace, deadline: number): Promise<StepResult> {
  const { server, database } = place
  const sent = await sendOnce(place, deadline, (timeout) => server.sql(database, statement, timeout))
  if (sent.kind !== 'answered') {
    return stopped(isSelect(statement) ? { ...sent, effect: 'none' } : sent, 'The statement')
  }
  if (sent.answer.kind === 'rejected') {
    return {
      kind: 'failed',
      reason: sentence(`The server refuses the statement: ${sent.answer.reason}`),
      effect: 'none'
    }
  }
  return {
    kind: 'done',
    detail: [rowsText(statement, sent.answer), ...tookText(sent.answer.durationMicros)].join(', ')
  }
}

type Sent<Answer> =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'unanswered'; readonly failure: unknown; readonly effect: Effect }
  | { readonly kind: 'cancelled'; readonly effect: Effect }

/** Sends what changes something. It is sent again only where no connection was made, so that nobody got it. */
async function sendOnce<Answer>(
  { clock, cancelled, tell }: Workplace,
  deadline: number,
  send: (timeout: number) => Promise<Answer>
): Promise<Sent<Answer>> {
  const attempt = async (): Promise<Sent<Answer>> => {
    if (cancelled.aborted) return { kind: 'cancelled', effect: 'none' }
    try {
      const answer = await orCancelled(send(Math.max(1, deadline - clock.now())), cancelled)
      return answer === 'cancelled' ? { kind: 'cancelled', effect: 'unknown' } : { kind: 'answered', answer }
    } catch (failure) {
      return { kind: 'unanswered', failure, effect: changedNothing(failure) ? 'none' : 'unknown' }
    }
  }
  return withRetries(attempt, unreachable, {
    patience: { ...defaultPatience, total: Math.min(defaultPatience.total, deadline - clock.now()) },
    clock,
    signal: cancelled,
    onRetry: ({ reason }, delay) => tell(`${reason} Trying again in ${(delay / 1000).toFixed(1)} s.`)
  })
}

function unreachable(sent: Sent<unknown>): { readonly reason: string } | undefined {
  if (sent.kind !== 'unanswered' || !(sent.failure instanceof ServerFailure)) return undefined
  return sent.failure.kind === 'unreachable' ? { reason: sent.failure.message } : undefined
}

function stopped(
  sent: Exclude<Sent<unknown>, { readonly kind: 'answered' }>,
  what: string
): Exclude<StepResult, { readonly kind: 'done' }> {
  const { effect } = sent
  const known = {
    none: '',
    part: '',
    unknown: ` ${what} may or may not have been carried out, and is not repeated.`
  }[effect]
  if (sent.kind === 'cancelled') return { kind: 'cancelled', reason: `The job was cancelled.${known}`, effect }
  return { kind: 'failed', reason: `${sentence(messageOf(sent.failure))}${known}`, effect }
}

/** The longest that one question of a condition may take: with a connection that hangs, a new one is tried. */
const longestQuestion = 60_000

/** The shortest pause after a question that got no answer. */
const pauseAfterFailure = 1000

async function waitUntil(
  step: Extract<Step, { kind: 'wait' }>,
  place: Workplace,
  deadline: number
): Promise<StepResult> {
  // Time is kept for a last question, so that a condition that comes true in the end is seen.
  const reserve = Math.min(1000, step.timeout / 10)
  for (let questions = 1; ; questions++) {
    const finding = await lookOnce(step.until, place, deadline)
    if (finding === 'cancelled') return cancelledWaiting
    if (finding.kind === 'met') return { kind: 'done', detail: `found ${finding.found} at question ${questions}` }
    if (finding.kind === 'unusable') return { kind: 'failed', reason: finding.reason, effect: 'none' }
    const left = deadline - reserve - place.clock.now()
    if (left <= 0) {
      const reason = `${timedOut(step)} ${lastFinding(finding)} It was asked ${times(questions)}.`
      return { kind: 'failed', reason, effect: 'none' }
    }
    await place.clock.sleep(Math.min(pauseAfter(finding, step.every), left), place.cancelled)
  }
}

const cancelledWaiting = { kind: 'cancelled', reason: 'The job was cancelled.', effect: 'none' } as const

async function repeatUntil(
  step: Extract<Step, { kind: 'repeat' }>,
  place: Workplace,
  deadline: number
): Promise<StepResult> {
  let calls = 0
  let micros = 0
  const after = (result: Exclude<StepResult, { kind: 'done' }>): StepResult => {
    const effect = result.effect === 'none' && calls > 0 ? 'part' : result.effect
    return { ...result, effect, reason: `${result.reason} ${callsText(calls)}` }
  }
  for (;;) {
    const finding = await lookOnce(step.until, place, deadline)
    if (finding === 'cancelled') return after(cancelledWaiting)
    if (finding.kind === 'met') {
      return { kind: 'done', detail: [`${calls} calls, then found ${finding.found}`, ...tookText(micros)].join(', ') }
    }
    if (finding.kind === 'unusable') return after({ kind: 'failed', reason: finding.reason, effect: 'none' })
    const left = deadline - place.clock.now()
    if (left <= 0) return after({ kind: 'failed', reason: `${timedOut(step)} ${lastFinding(finding)}`, effect: 'none' })
    if (finding.kind === 'unmet') {
      if (calls >= step.maxCalls) return after({ kind: 'failed', reason: tooMany(step, finding), effect: 'none' })
      const called = await callReducer(step.call, place, deadline)
      if (called.kind !== 'ok') return after(called)
      calls += 1
      micros += called.durationMicros ?? 0
    }
    await place.clock.sleep(Math.min(pauseAfter(finding, step.pause), left), place.cancelled)
  }
}

async function lookOnce(until: Condition, place: Workplace, deadline: number): Promise<Finding | 'cancelled'> {
  const { server, database, clock, cancelled } = place
  if (cancelled.aborted) return 'cancelled'
  const ask = (select: string): Promise<SqlAnswer> =>
    server.sql(database, select, Math.max(1, Math.min(longestQuestion, deadline - clock.now())))
  return orCancelled(look(ask, until), cancelled)
}

function pauseAfter(finding: Finding, pause: number): number {
  return finding.kind === 'unanswered' ? Math.max(pause, pauseAfterFailure) : pause
}

function timedOut({ timeout }: Step): string {
  return `Its time, ${inUnits(timeout)}, is over.`
}

function lastFinding(finding: Extract<Finding, { kind: 'unmet' | 'unanswered' }>): string {
  return finding.kind === 'unmet' ? `The condition found ${finding.found}.` : finding.reason
}

function tooMany({ maxCalls }: { readonly maxCalls: number }, finding: Extract<Finding, { kind: 'unmet' }>): string {
  return `It is not done after as many calls as \`max-calls\` allows, ${maxCalls}. ${lastFinding(finding)}`
}

function callsText(calls: number): string {
  return calls === 0
    ? 'No call was carried out before.'
    : `${calls} ${calls === 1 ? 'call was' : 'calls were'} carried out before.`
}

/** What others say doesn't always end as a sentence does, and more is said after it. */
function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

function rowsText(statement: string, { rows, stats }: Extract<SqlAnswer, { kind: 'rows' }>): string {
  if (isSelect(statement)) return `${rows.length} ${rows.length === 1 ? 'row' : 'rows'} found`
  const { inserted, updated, deleted } = stats
  const changes = Object.entries({ inserted, updated, deleted }).filter(([, count]) => count > 0)
  if (changes.length === 0) return 'no rows changed'
  return changes.map(([what, count]) => `${count} ${count === 1 ? 'row' : 'rows'} ${what}`).join(', ')
}

function tookText(micros: number | undefined): string[] {
  return micros === undefined ? [] : [`the server took ${(micros / 1000).toFixed(1)} ms`]
}
