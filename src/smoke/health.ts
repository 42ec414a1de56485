import type { Clock } from '../clock.ts'
import { ConfigurationError, messageOf } from '../errors.ts'
import type { Procedure, Reducer, Schema } from '../module/schema.ts'
import { mayPass } from '../spacetimedb/failure-kinds.ts'
import type { CallAnswer, Server } from '../spacetimedb/server.ts'
import { callPatiently } from './patient-call.ts'
import { answerMeant } from './procedure-answer.ts'

/** Which reducer says whether a release is healthy: none, `health_check` when the module has it, or a named one. */
export type HealthChoice =
  | { readonly kind: 'none' }
  | { readonly kind: 'auto' }
  | { readonly kind: 'named'; readonly name: string }

/** The name that `auto` looks for. */
const conventionalHealthCheck = 'health_check'

/** The input `health-check`: `auto`, `none`, or the name of a reducer or procedure. */
export function healthChoice(input: string): HealthChoice {
  if (input === 'auto' || input === 'none') return { kind: input }
  return { kind: 'named', name: input }
}

/**
 * The reducer or procedure to call, or `undefined` when the release is not checked. Throws a `ConfigurationError`
 * when a named one isn't in the module, is run by the server only, or takes parameters.
 */
export function chooseHealthCheck(choice: HealthChoice, schema: Schema): string | undefined {
  if (choice.kind === 'none') return undefined
  const callables = [...schema.reducers, ...schema.procedures]
  const usable = callables.filter((candidate) => objectionTo(candidate, schema) === undefined).map(({ name }) => name)
  if (choice.kind === 'auto') return usable.find((name) => name === conventionalHealthCheck)

  if (usable.includes(choice.name)) return choice.name
  const named = callables.find(({ name }) => name === choice.name)
  const objection = named ? objectionTo(named, schema) : 'is no reducer or procedure of the module'
  throw new ConfigurationError(
    `Input ` +
      '`health-check`' +
      `: "${choice.name}" ${objection}. Name one that takes no parameters, may be called again ` +
      `and changes nothing (without parameters are: ${usable.join(', ') || 'none'}), or use "auto" or "none".`
  )
}

function objectionTo({ name, parameters }: Reducer | Procedure, { lifecycle }: Schema): string | undefined {
  if (lifecycle.some(({ reducer }) => reducer === name)) return 'is run by the server itself'
  return parameters.length > 0 ? 'takes parameters' : undefined
}

export type HealthReport =
  | { readonly kind: 'healthy' }
  | { readonly kind: 'unhealthy'; readonly reason: string }
  /** The job was cancelled before there was an answer. */
  | { readonly kind: 'cancelled'; readonly reason: string }

export type HealthOptions = {
  /** What the module declares. */
  readonly schema: Schema
  readonly timeout: number
  readonly clock: Clock
  readonly cancelled: AbortSignal
}

/**
 * Calls the health check until it gives an answer or `timeout` (milliseconds) has passed. What the reducer itself
 * says is final; only a call whose answer was lost is tried again, so a health check must be repeatable.
 */
export async function checkHealth(
  server: Pick<Server, 'call'>,
  database: string,
  reducer: string,
  options: HealthOptions
): Promise<HealthReport> {
  const { schema, timeout, clock, cancelled } = options
  const call = { database, name: reducer, args: [], timeout, clock, signal: cancelled, mayRepeat: mayPass }
  const end = await callPatiently(server, call)
  switch (end.kind) {
    case 'answered':
      return reportOf(reducer, answerMeant(reducer, end.answer, schema))
    case 'refused':
      return { kind: 'unhealthy', reason: messageOf(end.failure) }
    case 'ended':
      return { kind: 'cancelled', reason: 'The job was cancelled before the health check was done.' }
    case 'unanswered': {
      const seconds = timeout / 1000
      const reason = `${reducer} gave no final answer within ${seconds} s (input \`health-timeout\`). ${messageOf(end.failure ?? '')}`
      return { kind: 'unhealthy', reason }
    }
  }
}

function reportOf(reducer: string, answer: CallAnswer): HealthReport {
  switch (answer.kind) {
    case 'ok':
      return { kind: 'healthy' }
    case 'failed':
      return { kind: 'unhealthy', reason: `${reducer} failed: ${answer.reason}` }
    case 'rejected':
      return { kind: 'unhealthy', reason: `${reducer} was not run (HTTP ${answer.status}): ${answer.reason}` }
  }
}
