import { connect } from '../../src/spacetimedb/client.ts'

/** Connects as a client and prints what became of it: a process of its own for its environment. */
const [url = '', timeout = '10000'] = process.argv.slice(2)
try {
  const connection = await connect({ url }).connectClient('counter', { timeout: Number(timeout) })
  await connection.close()
  console.log(JSON.stringify({ identity: connection.identity }))
} catch (failure) {
  const { kind, message } = failure as { kind?: string; message?: string }
  console.log(JSON.stringify({ kind, message }))
}
