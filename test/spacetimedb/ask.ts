import { createTransport } from '../../src/spacetimedb/transport.ts'

/** Asks once for the URL that it is given and prints what became of it: a process of its own for its environment. */
const exchange = await createTransport('test').exchange({
  method: 'GET',
  url: process.argv[2] ?? '',
  headers: { authorization: 'Bearer secret' },
  timeout: Number(process.argv[3] ?? 10_000),
  longestAnswer: 1000,
  mayShareConnection: false
})
const cause = exchange.kind === 'answered' ? undefined : (exchange.cause as NodeJS.ErrnoException)
console.log(
  JSON.stringify(
    exchange.kind === 'answered'
      ? { kind: exchange.kind, status: exchange.answer.status, body: exchange.answer.body }
      : { kind: exchange.kind, code: cause?.code, message: cause?.message }
  )
)
