import * as z from 'zod'
import { duration } from '../duration.ts'
import { numberExpectation, rowExpectation } from './comparison-schema.ts'

/** How long a check may take where its file does not say. */
const defaultTimeout = '10s'

/** A time of which a check has its own where its author says none. */
export const time = (what: string, options: { readonly min?: number; readonly preset: string }) => {
  const value = duration({ min: options.min ?? 1 })
  return value.describe(`${what}: ${value.description}. Without it \`${options.preset}\`.`).prefault(options.preset)
}

/** A time that need not be said. */
export const optionalTime = (what: string, between: { readonly min?: number; readonly max?: number } = {}) => {
  const value = duration({ min: 1, ...between })
  return value.describe(`${what}: ${value.description}.`).exactOptional()
}

/** A text of one line. */
export const oneLine = (most: number) => z.string().min(1).max(most).regex(/^.*$/)

const checkName = oneLine(100)

const anyone = z
  .enum(['owner', 'anonymous'])
  .describe('Who asks: `owner`, with the credential of the job, or `anonymous`, as somebody new.')

/** What each check has, whatever its kind. */
export const common = (writes: boolean, timeout: string = defaultTimeout) => ({
  name: checkName
    .describe('What reports call the check: one line of text, of at most 100 characters, each name once.')
    .exactOptional(),
  timeout: time('How long one try may take', { preset: timeout }),
  retries: z
    .int()
    .min(0)
    .max(20)
    .describe(
      'How often it is tried again when it fails, with pauses that double from a second: a whole number from 0 to 20. Without it 0.'
    )
    .prefault(0),
  optional: z
    .boolean()
    .describe('With `true` a check that could not run is skipped instead of failed. Without it `false`.')
    .prefault(false),
  writes: z
    .boolean()
    .describe(
      `Whether it changes data: \`true\` or \`false\`. Without it \`${writes}\`. Against a real database it is run only with the input \`allow-writes: true\`.`
    )
    .prefault(writes),
  needs: z
    .union([checkName, z.array(checkName).min(1)])
    .describe(
      'The name of a check, or a list of names, that have to pass before this one begins. Without it the check begins at once.'
    )
    .exactOptional()
})

/** What each check has that asks as somebody. */
export const asking = (as: 'owner' | 'anonymous') => ({
  as: anyone.describe(`${anyone.description} Without it \`${as}\`.`).prefault(as)
})

/** The arguments of a call. */
export const args = z
  .array(z.unknown())
  .describe('The arguments, as a list in the order of the parameters. Integers of any size stay exact.')
  .prefault([])

/** The name of a function of the module. */
export const callable = (what: string) => oneLine(500).describe(`${what}: its name.`)

/** What rows have to be like. */
export const rowsExpected = {
  count: numberExpectation
    .describe(`How many rows there have to be: ${numberExpectation.description}.`)
    .exactOptional(),
  rows: z
    .array(rowExpectation)
    .max(200)
    .describe('All the rows, in any order: a list of at most 200 maps of columns, each for a row of its own.')
    .exactOptional(),
  some: rowExpectation.describe(`At least one row has to be like this: ${rowExpectation.description}.`).exactOptional(),
  each: rowExpectation
    .describe(
      `Each row has to be like this, and there has to be one unless \`count\` says otherwise: ${rowExpectation.description}.`
    )
    .exactOptional(),
  none: rowExpectation.describe(`No row may be like this: ${rowExpectation.description}.`).exactOptional()
}

/** A part of 1. */
export const share = z
  .union([z.number().min(0).max(1), z.string().regex(/^(100|\d{1,2}(\.\d+)?)%$/)])
  .transform((given) => (typeof given === 'number' ? given : Number(given.slice(0, -1)) / 100))
  .describe('a share such as `1%` or `0.01`')

/**
 * How long a part of the calls may take by the metrics of a server: its histograms have no bounds but from 5 ms to 10 s
 * (docs/server-behaviour.md, "Metrics").
 */
export const callTime = (calls: string) =>
  optionalTime(`The longest that ${calls} may take, as far as a server measures it`, { min: 5, max: 10_000 })
