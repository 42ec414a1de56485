/**
 * Describes the module in the file that is its argument, and publishes it on an embedded server; prints both in JSON.
 * A program of its own, so that a test can run it with Node 24, which bundles of SpacetimeDB 2 need.
 */
import { describeModule } from '../../src/module/describe.ts'
import { loadModule } from '../../src/module/load.ts'
import { startServer } from '../embedded/server.ts'

const module = await loadModule(`${process.argv[2]}`)
const schema = await describeModule(module)
const server = await startServer()
const answer = await fetch(`${server.url}/v1/database/built${module.kind === 'js' ? '?host_type=Js' : ''}`, {
  method: 'PUT',
  headers: { authorization: `Bearer ${await server.issueToken('owner')}` },
  body: new Uint8Array(module.bytes)
})
const published = { status: answer.status, text: await answer.text() }
await server.close()
const text = JSON.stringify({ schema, published }, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
process.stdout.write(text)
