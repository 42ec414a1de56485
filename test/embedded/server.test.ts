import { connect as connectSocket } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { fixtureModule } from '../fixtures.ts'
import { type EmbeddedServer, type ServerOptions, startServer } from './server.ts'

/** What only the embedded server does, beyond what test/server.test.ts asks of any. */
const running = new Set<EmbeddedServer>()

afterEach(async () => {
  await Promise.all([...running].map((server) => server.close()))
  running.clear()
})

describe('a server that is closed and started again', () => {
  test('has its databases, names, owners, logs and keys', async () => {
    const first = await start()
    await publish(first, 'counter', 'counter')
    await call(first, 'counter', 'increment_counter', [7])
    const state = await first.close()
    running.delete(first)
    const second = await start({ state })
    expect(await sql(second, 'counter', 'SELECT * FROM counter')).toEqual([
      [0, 0],
      [7, 1]
    ])
    expect((await call(second, 'counter', 'increment_counter', [7])).status).toBe(200)
    expect((await publish(second, 'counter', 'counter-additive')).status).toBe(200)
    expect((await send(second, 'GET', '/counter/logs')).text).toContain('counter v1 initialised')
  })

  test('has lost what was not committed', async () => {
    const first = await start()
    await publish(first, 'slow', 'counter-slow')
    const cut = call(first, 'slow', 'spin_for', [1e15]).catch(() => 'cut')
    await new Promise((resolve) => setTimeout(resolve, 50))
    const state = await first.close()
    running.delete(first)
    expect(await cut).toBe('cut')
    const second = await start({ state })
    expect(await sql(second, 'slow', 'SELECT * FROM counter')).toEqual([[0, 0]])
  })
})

test('a function that never ends is ended at the deadline, and the database goes on', async () => {
  const server = await start({ deadline: 2000 })
  await publish(server, 'slow', 'counter-slow')
  expect(await call(server, 'slow', 'spin_for', [1e15])).toMatchObject({ status: 530 })
  expect(await call(server, 'slow', 'increment_counter', [1])).toMatchObject({ status: 200 })
  expect(await sql(server, 'slow', 'SELECT * FROM counter WHERE id = 1')).toEqual([[1, 1]])
})

test('a module that never describes itself is refused at the deadline', async () => {
  const server = await start({ deadline: 2000 })
  expect((await publish(server, 'loop', 'hostile/loop')).status).toBe(500)
  expect((await publish(server, 'loop', 'counter')).text).toContain('created')
})

test.each([true, false])('abandons a first publish whose connection ends: %s', async (firstPublishAbandonedOnReset) => {
  const server = await start({ firstPublishAbandonedOnReset })
  await sendAndReset(server, '/v1/database/lost', fixtureModule('counter.wasm'))
  const until = Date.now() + (firstPublishAbandonedOnReset ? 500 : 10_000)
  let answer = await send(server, 'GET', '/lost')
  while (answer.status !== 200 && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    answer = await send(server, 'GET', '/lost')
  }
  const { status, text } = answer
  expect(status === 404 ? text : status).toEqual(firstPublishAbandonedOnReset ? 'No such database.' : 200)
})

test('a host function that it does not have is refused by name', async () => {
  const server = await start()
  const answer = await send(server, 'PUT', '/http', importing('spacetime_10.3', 'procedure_http_request'))
  expect([answer.status, answer.text]).toEqual([500, expect.stringContaining('procedure_http_request')])
})

test('a JavaScript module is planned and served; calling it is refused by name', async () => {
  const server = await start()
  const module = new TextEncoder().encode(
    `import { moduleHooks } from 'spacetime:sys@2.0'
     export default { [moduleHooks]: () => ({ __describe_module__: () => new Uint8Array([2, 0, 0, 0, 0]) }) }`
  )
  expect((await send(server, 'PUT', '/script?host_type=Js', module)).text).toContain('created')
  expect((await send(server, 'POST', '/script/pre_publish?host_type=Js', module)).text).toContain('AutoMigrate')
  expect((await send(server, 'GET', '/script')).text).toContain('"host_type":{"Js":[]}')
  expect(await sql(server, 'script', 'SELECT program_kind FROM st_module')).toEqual([[1]])
  expect(await call(server, 'script', 'go', [])).toMatchObject({ status: 501, text: expect.stringContaining('`go`') })
})

async function start(options: ServerOptions = {}): Promise<EmbeddedServer> {
  const server = await startServer(options)
  running.add(server)
  return server
}

function publish(server: EmbeddedServer, name: string, module: string) {
  return send(server, 'PUT', `/${name}`, fixtureModule(`${module}.wasm`))
}

function call(server: EmbeddedServer, name: string, reducer: string, args: readonly unknown[]) {
  return send(server, 'POST', `/${name}/call/${reducer}`, JSON.stringify(args))
}

async function sql(server: EmbeddedServer, name: string, statement: string): Promise<unknown> {
  const { text } = await send(server, 'POST', `/${name}/sql`, statement)
  return JSON.parse(text)[0].rows
}

async function send(server: EmbeddedServer, method: string, path: string, body?: Uint8Array | string) {
  const answer = await fetch(`${server.url}/v1/database${path}`, {
    method,
    headers: { authorization: `Bearer ${await server.issueToken('owner')}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: typeof body === 'string' ? body : new Uint8Array(body) })
  })
  return { status: answer.status, text: await answer.text() }
}

/** Sends a whole request and ends the connection at once. */
async function sendAndReset(server: EmbeddedServer, path: string, body: Uint8Array): Promise<void> {
  const { hostname, port } = new URL(server.url)
  const token = await server.issueToken('owner')
  const head = `PUT ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-length: ${body.length}\r\n\r\n`
  await new Promise<void>((resolve, reject) => {
    const socket = connectSocket(Number(port), hostname).on('error', reject)
    socket.write(head)
    socket.write(body)
    setTimeout(() => resolve(void socket.resetAndDestroy()), 5)
  })
}

/** A WebAssembly module that imports one function without parameters, and nothing else. */
function importing(module: string, name: string): Uint8Array {
  const text = (value: string) => [value.length, ...Buffer.from(value)]
  const entry = [1, ...text(module), ...text(name), 0, 0]
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, entry.length, ...entry])
}
