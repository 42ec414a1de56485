import * as z from 'zod'
import { duration } from '../duration.ts'
import { editorSchema } from '../json-schema.ts'

/** The most rows that are copied of one table, and how many are where the file does not say. */
export const mostRowsOfTable = 1000

const oneLine = (most: number) => z.string().min(1).max(most).regex(/^.*$/)

const callEntry = z.strictObject({
  call: oneLine(500).describe('Calls this reducer or procedure of the old module: its name.'),
  args: z
    .array(z.unknown())
    .describe('The arguments, as a list in the order of the parameters. Integers of any size stay exact.')
    .prefault([]),
  times: z
    .int()
    .min(1)
    .max(100_000)
    .describe('How often it is called, one call after the other: a whole number from 1 to 100000. Without it once.')
    .prefault(1)
})

const sqlEntry = z.strictObject({
  sql: z.string().regex(/\S/).describe('Runs this on the server that is thrown away, once: one SQL statement, as text.')
})

const names = z.array(oneLine(500).describe('A name, as text.')).min(1)

const copyEntry = z.strictObject({
  copy: oneLine(500).describe(
    'Copies rows of this table of the live database: its name, or `all` for all tables that can be copied.'
  ),
  limit: z
    .int()
    .min(0)
    .max(mostRowsOfTable)
    .describe(
      `How many rows of a table are copied at most: a whole number from 0 to ${mostRowsOfTable}. Without it ${mostRowsOfTable}.`
    )
    .prefault(mostRowsOfTable),
  where: z
    .string()
    .max(10_000)
    .regex(/^(?!.*(;|--|\/\*)).*\S/s)
    .describe(
      'Only rows for which this holds: a condition of SQL, such as `level > 3`, without `;` and comments. For one table.'
    )
    .exactOptional(),
  mask: names
    .describe(
      'Columns that are not read: a list of names. Made-up values take their place. With `copy: all` in each table that has such a column.'
    )
    .exactOptional(),
  except: names.describe('Tables that `copy: all` leaves out: a list of names.').exactOptional()
})

const entry = z
  .union([callEntry, sqlEntry, copyEntry])
  .describe('An entry of a seed is a map with exactly one of `call`, `sql`, `copy`.')

const deadline = duration({ min: 1000 })

/** The form of a file that says what a rehearsal's database is filled with, as its author writes it. */
export const seedSchema = z
  .strictObject({
    deadline: deadline
      .describe(`How long filling may take: ${deadline.description}. Without it \`10m\`.`)
      .prefault('10m'),
    seed: z.array(entry).min(1).describe('What the database is filled with, in this order: a list of at least one.')
  })
  .describe('A file of seeds is a map with the key `seed`.')

export type WrittenEntry = z.output<typeof entry>

/** The JSON Schema of the file, by which editors complete and check it. */
export function seedJsonSchema(): unknown {
  return editorSchema('What the database of a rehearsal is filled with', seedSchema)
}
