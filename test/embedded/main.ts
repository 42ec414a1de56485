import { identityOf } from '../../src/spacetimedb/identity.ts'
import { startServer } from './server.ts'

/**
 * Runs the embedded server until it is interrupted: `npm run server`. The port comes from the environment variable
 * PORT; a free one is taken without it.
 */
const server = await startServer({ port: Number(process.env.PORT ?? 0) })
const token = await server.issueToken('you')

console.log(`An embedded test server, which is not SpacetimeDB: it keeps everything in memory, knows a part of SQL,
speaks one of the WebSocket protocols (v1.json.spacetimedb), and runs no JavaScript modules. It listens on

  ${server.url}

A token for it, and the identity that it gives you:

  export TOKEN=${token}
  ${identityOf('localhost', 'you')}

Try it with a module that comes with the tests:

  curl -X PUT -H "Authorization: Bearer $TOKEN" --data-binary @test/fixtures/modules/counter.wasm \\
    ${server.url}/v1/database/counter
  curl -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '[1]' \\
    ${server.url}/v1/database/counter/call/increment_counter
  curl -d 'SELECT * FROM counter' ${server.url}/v1/database/counter/sql

Ctrl-C ends it, and everything in it.`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close())
