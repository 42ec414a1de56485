import * as z from 'zod'

const scalar = [z.number(), z.bigint(), z.string(), z.boolean(), z.null()] as const

const amount = z.union([z.number(), z.bigint()])

/** A pattern of JavaScript, with its `u` flag. */
export const pattern = z
  .string()
  .min(1)
  .refine((source) => isPattern(source))
  .describe('a regular expression of JavaScript, such as `/^player-\\d+$/` without the slashes')

function isPattern(source: string): boolean {
  try {
    return new RegExp(source, 'u') instanceof RegExp
  } catch {
    return false
  }
}

const comparisons = z
  .strictObject({
    equals: z.union(scalar).describe('Holds when the value is this one.').exactOptional(),
    not: z.union(scalar).describe('Holds when the value is another one.').exactOptional(),
    'at-least': amount.describe('Holds when the value is this number or more.').exactOptional(),
    'at-most': amount.describe('Holds when the value is this number or less.').exactOptional(),
    above: amount.describe('Holds when the value is more than this number.').exactOptional(),
    below: amount.describe('Holds when the value is less than this number.').exactOptional(),
    matches: pattern.describe('Holds when the text matches: a regular expression of JavaScript.').exactOptional()
  })
  .refine((given) => Object.keys(given).length > 0)
  .describe(
    'comparisons, all of which have to hold: at least one of `equals`, `not`, `at-least`, `at-most`, `above`, `below`, `matches`'
  )

/** A value that has to be this one, or a map of comparisons that it has to pass. */
export const expectation = z
  .union([...scalar, comparisons])
  .describe(
    'a number, text, boolean or null that the value has to be, or a map of comparisons such as `{ at-least: 1 }`'
  )

/** A number that has to be this one, or to pass comparisons. */
export const numberExpectation = z
  .union([z.int().min(0), comparisons])
  .describe('a whole number, or a map of comparisons such as `{ at-least: 1 }`')

/** Columns of a row, by their names, each with what is expected of it; columns that are left out may be anything. */
export const rowExpectation = z
  .record(z.string(), expectation)
  .refine((row) => Object.keys(row).length > 0)
  .describe(
    'a map of columns, each with a value or comparisons: `{ id: 0, value: { at-least: 1 } }`; other columns may be anything'
  )

export type Expectation = z.output<typeof expectation>
export type NumberExpectation = z.output<typeof numberExpectation>
export type RowExpectation = z.output<typeof rowExpectation>
