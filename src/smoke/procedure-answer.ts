import type { Schema } from '../module/schema.ts'
import { resolve } from '../module/typespace.ts'
import type { CallAnswer } from '../spacetimedb/server.ts'
import { isResult, shownValue } from './shown-value.ts'

/**
 * What the answer to a call means: a procedure that returns an `Err` has failed with it, although the server calls it a
 * success as any other value (docs/server-behaviour.md, "Calls").
 */
export function answerMeant<Answer extends CallAnswer>(
  name: string,
  answer: Answer,
  { procedures, typespace }: Schema
): Answer | Extract<CallAnswer, { kind: 'failed' }> {
  const procedure = procedures.find((each) => each.name === name)
  if (answer.kind !== 'ok' || procedure === undefined || !Array.isArray(answer.value)) return answer
  const type = resolve(procedure.returnType, typespace)
  if (type.kind !== 'sum' || !isResult(type.variants)) return answer
  const [tag, error] = answer.value
  const variant = type.variants[Number(tag)]
  if (variant?.name !== 'err') return answer
  return { kind: 'failed', reason: typeof error === 'string' ? error : shownValue(error, variant.type, typespace).text }
}
