import * as z from 'zod'
import { duration } from '../duration.ts'
import { editorSchema } from '../json-schema.ts'

/** How long a step may take where its file doesn't say: as the file would say it. */
const defaultTimeouts = { call: '1m', sql: '1m', wait: '5m', repeat: '10m' } as const

const statement = (what: string) => z.string().regex(/\S/).describe(`${what}: one SQL statement, as text.`)

const question = z
  .string()
  .regex(/^\s*[Ss][Ee][Ll][Ee][Cc][Tt]\b/)
  .describe(
    'What to ask the database: one `SELECT`. Only the first column of the first row counts. `COUNT(*)` needs a name: `SELECT COUNT(*) AS n FROM jobs`.'
  )

const asked = z.strictObject({ sql: question })

const aNumber = [z.number(), z.bigint()] as const

const anything = z.union([...aNumber, z.string(), z.boolean(), asked])

const amount = z.union([...aNumber, asked])

const condition = z
  .union([
    z.strictObject({
      sql: question,
      equals: anything.describe(
        'Holds when the value is this number, text or boolean, or the value that another `SELECT` gives: `{ sql: "SELECT …" }`.'
      )
    }),
    z.strictObject({
      sql: question,
      'at-least': amount.describe(
        'Holds when the value is this number or more. Instead of a number, another `SELECT`: `{ sql: "SELECT …" }`.'
      )
    }),
    z.strictObject({
      sql: question,
      'at-most': amount.describe(
        'Holds when the value is this number or less. Instead of a number, another `SELECT`: `{ sql: "SELECT …" }`.'
      )
    })
  ])
  .describe('A condition on the data: `sql` with one `SELECT`, and one of `equals`, `at-least`, `at-most`.')

const callee = z.string().min(1).describe('The name of a reducer or procedure to call.')

const args = z
  .array(z.unknown())
  .describe('The arguments, as a list in the order of the parameters. Integers of any size stay exact.')
  .prefault([])

const name = z
  .string()
  .min(1)
  .max(100)
  .regex(/^.*$/)
  .describe('What the log calls the step: one line of text, of at most 100 characters.')

const time = (what: string, least: number, preset: string) => {
  const value = duration({ min: least })
  return value.describe(`${what}: ${value.description}. Without it \`${preset}\`.`).prefault(preset)
}

const timeout = (preset: string) => time('How long the step may take, all waiting included', 1, preset)

const callStep = z.strictObject({
  name: name.exactOptional(),
  call: callee.describe('Calls this reducer or procedure, once: its name.'),
  args,
  timeout: timeout(defaultTimeouts.call)
})

const sqlStep = z.strictObject({
  name: name.exactOptional(),
  sql: statement('Runs this, once'),
  timeout: timeout(defaultTimeouts.sql)
})

const waitStep = z.strictObject({
  name: name.exactOptional(),
  'wait-for': condition.describe(`Waits until this holds. ${condition.description}`),
  timeout: timeout(defaultTimeouts.wait),
  every: time('How long to pause between two questions', 10, '2s')
})

const repeatStep = z.strictObject({
  name: name.exactOptional(),
  repeat: z
    .strictObject({
      call: callee,
      args,
      until: condition.describe(`Asked before each call; when it holds, the step is done. ${condition.description}`)
    })
    .describe('Calls a reducer again and again: a map of `call`, `args` and `until`.'),
  timeout: timeout(defaultTimeouts.repeat),
  pause: time('How long to pause after each call', 0, '0s'),
  'max-calls': z
    .int()
    .min(1)
    .max(1_000_000)
    .describe('How many calls there may be: a whole number from 1 to 1000000. Without it 10000.')
    .prefault(10_000)
})

const step = z
  .union([callStep, sqlStep, waitStep, repeatStep])
  .describe('A step is a map with exactly one of `call`, `sql`, `wait-for`, `repeat`.')

/** The form of a file of steps, as its author writes it. */
export const stepsSchema = z
  .strictObject({
    steps: z.array(step).min(1).describe('The steps, in the order in which they run: a list of at least one.')
  })
  .describe('A file of steps is a map with the key `steps`.')

export type WrittenStep = z.output<typeof step>
export type WrittenCondition = z.output<typeof condition>

/** The JSON Schema of the file, by which editors complete and check it. */
export function stepsJsonSchema(): unknown {
  return editorSchema('Steps around the publishing of a SpacetimeDB module', stepsSchema)
}
