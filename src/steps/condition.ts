import { messageOf } from '../errors.ts'
import { inOneLine } from '../one-line.ts'
import { mayPass } from '../spacetimedb/failure-kinds.ts'
import type { SqlAnswer } from '../spacetimedb/server.ts'
import type { Condition, Operator } from './steps-file.ts'

/** What looking at a condition found; texts are to be read after the statement that was asked. */
export type Finding =
  | { readonly kind: 'met'; readonly found: string }
  | { readonly kind: 'unmet'; readonly found: string }
  /** It never will hold: the question is wrong, or nobody may ask it. */
  | { readonly kind: 'unusable'; readonly reason: string }
  /** There was no answer this time. */
  | { readonly kind: 'unanswered'; readonly reason: string }

type Scalar = number | bigint | string | boolean

type Value =
  /** `undefined` where there is no row. */
  { readonly kind: 'value'; readonly value: Scalar | undefined } | Exclude<Finding, { readonly kind: 'met' | 'unmet' }>

/** Asks the database once, or twice where the value to compare with is in it too. Throws nothing. */
export async function look(ask: (select: string) => Promise<SqlAnswer>, condition: Condition): Promise<Finding> {
  const actual = await askFor(ask, condition.select)
  if (actual.kind !== 'value') return actual
  const { expected } = condition
  const wanted: Value =
    typeof expected === 'object' ? await askFor(ask, expected.select) : { kind: 'value', value: expected }
  return wanted.kind === 'value' ? compare(actual.value, condition.operator, wanted.value) : wanted
}

async function askFor(ask: (select: string) => Promise<SqlAnswer>, select: string): Promise<Value> {
  try {
    const answer = await ask(select)
    return answer.kind === 'rows'
      ? firstValue(answer.rows)
      : { kind: 'unusable', reason: `The server refuses \`${inOneLine(select)}\`: ${answer.reason}` }
  } catch (failure) {
    return { kind: mayPass(failure) ? 'unanswered' : 'unusable', reason: messageOf(failure) }
  }
}

function firstValue(rows: readonly (readonly unknown[])[]): Value {
  const [row] = rows
  if (row === undefined) return { kind: 'value', value: undefined }
  const [first] = row
  // Identities, timestamps and durations are lists with their one field (docs/server-behaviour.md, "Rows").
  const value = Array.isArray(first) && first.length === 1 ? first[0] : first
  if (isScalar(value)) return { kind: 'value', value }
  const reason =
    'The first column of a condition has to be a number, a text or a boolean, and this one is none of them.'
  return { kind: 'unusable', reason }
}

function isScalar(value: unknown): value is Scalar {
  return ['number', 'bigint', 'string', 'boolean'].includes(typeof value)
}

function compare(actual: Scalar | undefined, operator: Operator, wanted: Scalar | undefined): Finding {
  if (actual === undefined || wanted === undefined) {
    return {
      kind: 'unmet',
      found: actual === undefined ? 'no row' : `${shown(actual)}, and nothing to compare it with`
    }
  }
  if (isNumber(actual) && isNumber(wanted)) {
    return finding(holds[operator](actual, wanted), actual, operator, wanted)
  }
  if (typeof actual === typeof wanted && operator === 'equals') {
    return finding(actual === wanted, actual, operator, wanted)
  }
  const reason = `${shown(actual)} is ${typeName(actual)} and can't be compared with ${shown(wanted)} by \`${operator}\`.`
  return { kind: 'unusable', reason }
}

function finding(isMet: boolean, actual: Scalar, operator: Operator, wanted: Scalar): Finding {
  if (isMet) return { kind: 'met', found: shown(actual) }
  return { kind: 'unmet', found: `${shown(actual)}, and not ${words[operator]}${shown(wanted)}` }
}

type Integer = number | bigint

/** Comparisons of numbers and bigints are exact; `===` between them isn't a comparison at all. */
const holds: Readonly<Record<Operator, (actual: Integer, wanted: Integer) => boolean>> = {
  equals: (actual, wanted) => actual >= wanted && actual <= wanted,
  'at-least': (actual, wanted) => actual >= wanted,
  'at-most': (actual, wanted) => actual <= wanted
}

const words: Readonly<Record<Operator, string>> = { equals: '', 'at-least': 'at least ', 'at-most': 'at most ' }

function isNumber(value: Scalar): value is Integer {
  return typeof value === 'number' || typeof value === 'bigint'
}

function typeName(value: Scalar): string {
  if (isNumber(value)) return 'a number'
  return typeof value === 'string' ? 'a text' : 'a boolean'
}

function shown(value: Scalar): string {
  return typeof value === 'string' ? JSON.stringify(inOneLine(value)) : String(value)
}
