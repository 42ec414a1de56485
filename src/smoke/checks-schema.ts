import * as z from 'zod'
import { duration, inUnits } from '../duration.ts'
import { editorSchema } from '../json-schema.ts'
import {
  args,
  asking,
  callable,
  callTime,
  common,
  oneLine,
  optionalTime,
  rowsExpected,
  share,
  time
} from './check-fields.ts'
import { expectation, pattern, rowExpectation } from './comparison-schema.ts'

/** How long all checks together may take where nothing says, in milliseconds. */
export const defaultDeadline = 10 * 60_000

const reducerError = z
  .strictObject({
    error: z
      .union([
        z.literal(true),
        z.string().min(1),
        z.strictObject({ matches: pattern.describe('A regular expression of JavaScript that the error has to match.') })
      ])
      .describe(
        'The error that it has to end with: `true` for any, a text that has to be in it, or `{ matches: "a pattern" }`.'
      )
  })
  .describe('a map with the key `error`')

const pingCheck = z.strictObject({
  ...common(false),
  ...asking('anonymous'),
  ping: z.literal(true).describe('The server answers: `true`.')
})

const servedHashCheck = z.strictObject({
  ...common(false),
  ...asking('owner'),
  'served-hash': z
    .union([z.literal(true), z.string().regex(/^[0-9a-fA-F]{64}$/)])
    .describe(
      'The database runs this module: 64 hex digits, or `true` for the module that the job has deployed or was told of.'
    )
})

const reducerCheck = z.strictObject({
  ...common(false),
  ...asking('owner'),
  reducer: callable('Calls this reducer, once'),
  args,
  expect: z
    .union([z.literal('ok'), reducerError])
    .describe('How it has to end: `ok`, or `{ error: "text" }`. Without it `ok`.')
    .prefault('ok'),
  'max-duration': optionalTime('The longest that the server may say that it took')
})

const procedureCheck = z.strictObject({
  ...common(false),
  ...asking('owner'),
  procedure: callable('Calls this procedure, once'),
  args,
  returns: z
    .unknown()
    .describe('The value that it has to return, as JSON has it. Without it any will do.')
    .exactOptional(),
  'max-duration': optionalTime('The longest that the server may say that it took')
})

const sqlCheck = z.strictObject({
  ...common(false),
  ...asking('owner'),
  sql: z.string().regex(/\S/).describe('One SQL statement, as text. One that is no `SELECT` counts as `writes: true`.'),
  ...rowsExpected,
  value: expectation
    .describe(`What the first column of the first row has to be: ${expectation.description}.`)
    .exactOptional(),
  eventually: optionalTime('It is asked again and again until it holds, for at most this long')
})

const query = oneLine(10_000).describe(
  'What to subscribe to: one `SELECT` of whole rows, such as `SELECT * FROM counter`.'
)

const subscriptionCheck = z.strictObject({
  ...common(false),
  ...asking('anonymous'),
  subscription: z
    .union([query, z.array(query).min(1)])
    .describe(
      'Connects over WebSocket as a client does and subscribes: a query such as `SELECT * FROM counter`, or a list of queries.'
    ),
  ...rowsExpected,
  call: z
    .strictObject({
      reducer: callable('Calls this reducer over the same connection, once the rows are there'),
      args,
      row: rowExpectation.describe(`A row that has to arrive then: ${rowExpectation.description}.`),
      table: oneLine(500).describe('The table that the row is of. Without it any.').exactOptional(),
      within: time('How soon after the call the row has to arrive', { preset: '1s' })
    })
    .describe(
      'A call, and the row that has to arrive by it: a map of `reducer`, `args`, `row`, `table`, `within`. The check counts as `writes: true` with it.'
    )
    .exactOptional()
})

/** What Node sends (https://nodejs.org/api/http.html#httpvalidateheadervaluename-value): HTTP has no other characters. */
const headerValue = z
  .string()
  .regex(/^[\t\x20-\x7e\x80-\xff]*$/)
  .describe('The value of a header: a text without line breaks, of characters up to U+00FF.')

const httpRouteCheck = z.strictObject({
  ...common(false),
  'http-route': z
    .string()
    .regex(/^\/\S*$/)
    .max(2000)
    .describe("The path of one of the module's own HTTP handlers: a text that begins with `/`."),
  method: z
    .enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
    .describe('The method: `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` or `OPTIONS`. Without it `GET`.')
    .prefault('GET'),
  headers: z
    .record(z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/), headerValue)
    .describe('Headers to send: a map of names and texts.')
    .prefault({}),
  body: z.string().describe('A text to send.').exactOptional(),
  status: z
    .int()
    .min(100)
    .max(599)
    .describe('The status of the answer: a whole number from 100 to 599. Without it 200.')
    .prefault(200),
  contains: z.string().min(1).describe('A text that has to be in the answer.').exactOptional(),
  matches: pattern.describe(`What the answer has to match: ${pattern.description}.`).exactOptional(),
  json: z.unknown().describe('What the answer has to be, as JSON.').exactOptional()
})

const logLevel = z.enum(['debug', 'info', 'warn', 'error', 'panic'])

const logCheck = z.strictObject({
  ...common(false),
  ...asking('owner'),
  log: z
    .strictObject({
      below: logLevel
        .describe('No line may be of this level or a worse one: `debug`, `info`, `warn`, `error` or `panic`.')
        .exactOptional(),
      without: pattern.describe(`What no line may match: ${pattern.description}.`).exactOptional(),
      with: pattern.describe(`What at least one line has to match: ${pattern.description}.`).exactOptional()
    })
    .refine((given) => Object.keys(given).length > 0)
    .describe('What the log since the publish has to be like: a map with at least one of `below`, `without`, `with`.')
})

const metricsCheck = z.strictObject({
  ...common(false, '5m'),
  ...asking('owner'),
  metrics: z
    .strictObject({
      reducer: oneLine(500).describe('Only calls of this reducer count. Without it all do.').exactOptional(),
      'error-rate': share.describe(`The largest part of calls that may fail: ${share.description}.`).exactOptional(),
      p50: callTime('half of the calls'),
      p95: callTime('95 of 100 calls'),
      p99: callTime('99 of 100 calls'),
      'queue-length': z.int().min(0).describe('The most calls that may wait in line: a whole number.').exactOptional(),
      window: time('How long the server is watched', { min: 1000, preset: '10s' })
    })
    .refine((given) => ['error-rate', 'p50', 'p95', 'p99', 'queue-length'].some((key) => key in given))
    .describe(
      'What the metrics of the server have to be like: a map with at least one of `error-rate`, `p50`, `p95`, `p99`, `queue-length`.'
    )
})

const connectionsCheck = z.strictObject({
  ...common(false, '1m'),
  ...asking('anonymous'),
  connections: z
    .int()
    .min(1)
    .max(10_000)
    .describe('How many clients connect over WebSocket, stay and leave: a whole number from 1 to 10000.'),
  stay: time('How long all of them stay', { min: 0, preset: '5s' })
})

const loadCheck = z.strictObject({
  ...common(true),
  ...asking('owner'),
  load: callable('Calls this reducer again and again'),
  args,
  callers: z
    .int()
    .min(1)
    .max(1000)
    .describe('How many call at once, each over a connection of its own: a whole number from 1 to 1000. Without it 10.')
    .prefault(10),
  rate: z
    .number()
    .positive()
    .max(100_000)
    .describe(
      'How many calls there are to be in a second, of all callers together: a number up to 100000. Without it as many as the callers get done.'
    )
    .exactOptional(),
  for: time('How long', { min: 100, preset: '10s' }),
  p50: optionalTime('The longest that half of the calls may take'),
  p95: optionalTime('The longest that 95 of 100 calls may take'),
  p99: optionalTime('The longest that 99 of 100 calls may take'),
  max: optionalTime('The longest that any call may take'),
  'error-rate': share
    .describe(`The largest part of calls that may fail: ${share.description}. Without it 0.`)
    .prefault(0),
  throughput: z
    .number()
    .positive()
    .describe('The least number of calls that have to succeed in a second.')
    .exactOptional()
})

const check = z
  .union([
    pingCheck,
    servedHashCheck,
    reducerCheck,
    procedureCheck,
    sqlCheck,
    subscriptionCheck,
    httpRouteCheck,
    logCheck,
    metricsCheck,
    connectionsCheck,
    loadCheck
  ])
  .describe(
    'A check is a map with exactly one of `ping`, `served-hash`, `reducer`, `procedure`, `sql`, `subscription`, `http-route`, `log`, `metrics`, `connections`, `load`.'
  )

/** Checks as an input may have them, without the map around them. */
export const checkList = z.array(check).min(1).describe('The checks: a list of at least one.')

const deadline = duration({ min: 1000 })

/** The form of a file of checks, as its author writes it. */
export const checksSchema = z
  .strictObject({
    deadline: deadline
      .describe(
        `How long all checks together may take: ${deadline.description}. Without it \`${inUnits(defaultDeadline)}\`.`
      )
      .exactOptional(),
    checks: checkList
  })
  .describe('A file of checks is a map with the key `checks`.')

/** A check as its author wrote it, with what was left out filled in. Times are in milliseconds. */
export type WrittenCheck = z.output<typeof check>

/** The JSON Schema of the file, by which editors complete and check it. */
export function checksJsonSchema(): unknown {
  return editorSchema('Checks of a SpacetimeDB module that is live', checksSchema)
}
