import type { AlgebraicType } from '../module/algebraic-type.ts'
import { resolve, type Typespace } from '../module/typespace.ts'
import type { Expectation, NumberExpectation } from './comparison-schema.ts'
import { isOption, type Scalar, type ShownValue } from './shown-value.ts'

type Comparisons = Exclude<Expectation | NumberExpectation, Scalar>

/** Whether a value is as expected. Numbers and bigints are compared exactly; what is no number is neither more nor less. */
export function meets(expectation: Expectation | NumberExpectation, { means }: ShownValue): boolean {
  const isOneOf = (wanted: Scalar) => means.some((meant) => isSame(meant, wanted))
  if (isScalar(expectation)) return isOneOf(expectation)
  const amount = means.find((meant) => typeof meant === 'number' || typeof meant === 'bigint')
  const texts = means.filter((meant) => typeof meant === 'string')
  const compares = (wanted: number | bigint | undefined, holds: (amount: number | bigint) => boolean) =>
    wanted === undefined || (amount !== undefined && holds(amount))
  const { equals, not, matches, above, below, 'at-least': least, 'at-most': most } = expectation
  return (
    (equals === undefined || isOneOf(equals)) &&
    (not === undefined || !isOneOf(not)) &&
    compares(least, (given) => given >= (least ?? 0)) &&
    compares(most, (given) => given <= (most ?? 0)) &&
    compares(above, (given) => given > (above ?? 0)) &&
    compares(below, (given) => given < (below ?? 0)) &&
    (matches === undefined || texts.some((text) => new RegExp(matches, 'u').test(text)))
  )
}

function isScalar(expectation: Expectation | NumberExpectation): expectation is Scalar {
  return typeof expectation !== 'object' || expectation === null
}

/** `==` compares a number and a bigint by what they are worth, without rounding either. */
function isSame(one: Scalar, other: Scalar): boolean {
  const areNumbers = isNumber(one) && isNumber(other)
  // biome-ignore lint/suspicious/noDoubleEquals: a number and a bigint are never ===
  return areNumbers ? one == other : one === other
}

function isNumber(value: Scalar): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

/** An expectation in words, to be read after the name of what it is of: `= 5`, `at least 1 and below 10`. */
export function expectationText(expectation: Expectation | NumberExpectation): string {
  if (isScalar(expectation)) return `= ${scalarText(expectation)}`
  const parts = Object.entries(expectation).map(([comparison, wanted]) =>
    comparison === 'matches' ? `matches /${wanted}/` : `${words[comparison as keyof Comparisons]} ${scalarText(wanted)}`
  )
  return parts.join(' and ')
}

const words: Readonly<Record<keyof Comparisons, string>> = {
  equals: '=',
  not: 'not',
  'at-least': 'at least',
  'at-most': 'at most',
  above: 'above',
  below: 'below',
  matches: 'matches'
}

function scalarText(value: Scalar): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

/**
 * Why values of this type can't be compared so, whatever they are: a text with `at-least`, a number with a text.
 * `undefined` where they can.
 */
export function objectionTo(
  expectation: Expectation | NumberExpectation,
  type: AlgebraicType,
  typespace: Typespace
): string | undefined {
  const kinds = kindsOf(type, typespace)
  const holds = `holds ${kinds.map((kind) => held[kind]).join(' or ')}`
  const allowed = `Compare it with ${kinds.map((kind) => allowedWith[kind]).join(', or ')}.`
  if (isScalar(expectation)) {
    return fits(expectation, kinds) ? undefined : `${holds}, never ${scalarText(expectation)}. ${allowed}`
  }
  for (const [comparison, wanted] of Object.entries(expectation)) {
    const kind = comparison in ordering ? 'number' : comparison === 'matches' ? 'text' : undefined
    const isRight = kind === undefined ? fits(wanted, kinds) : kinds.includes(kind)
    if (!isRight) return `${holds}, which \`${comparison}: ${scalarText(wanted)}\` does not fit. ${allowed}`
  }
  return undefined
}

const ordering = { 'at-least': true, 'at-most': true, above: true, below: true } as const

type Kind = 'number' | 'text' | 'boolean'

const held: Readonly<Record<Kind, string>> = { number: 'numbers', text: 'texts', boolean: '`true` or `false`' }

const allowedWith: Readonly<Record<Kind, string>> = {
  number: 'a number, or by `equals`, `not`, `at-least`, `at-most`, `above`, `below`',
  text: 'a text in quotes, or by `equals`, `not`, `matches`',
  boolean: '`true` or `false`, or by `equals`, `not`'
}

/** Null is allowed for each type: it is an option without a value, and what JSON makes of a float that is no number. */
function fits(wanted: Scalar, kinds: readonly Kind[]): boolean {
  if (wanted === null) return true
  if (isNumber(wanted)) return kinds.includes('number')
  return kinds.includes(typeof wanted === 'string' ? 'text' : 'boolean')
}

/** What `shownValue` makes of values of a type. */
function kindsOf(type: AlgebraicType, typespace: Typespace): readonly Kind[] {
  const structure = resolve(type, typespace)
  switch (structure.kind) {
    case 'product': {
      const [only] = structure.elements
      const isTime = structure.elements.length === 1 && times.has(only?.name ?? '')
      return isTime ? ['number', 'text'] : ['text']
    }
    case 'sum': {
      const [some] = structure.variants
      if (some === undefined || !isOption(structure.variants)) return ['text']
      return [...new Set<Kind>([...kindsOf(some.type, typespace), 'text'])]
    }
    case 'string':
    case 'array':
      return ['text']
    case 'bool':
      return ['boolean']
    default:
      return ['number']
  }
}

const times: ReadonlySet<string> = new Set(['__timestamp_micros_since_unix_epoch__', '__time_duration_micros__'])
