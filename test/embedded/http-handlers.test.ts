import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { matrixModule } from '../fixtures.ts'
import { type EmbeddedServer, startServer } from './server.ts'
import { spokenModule } from './spoken-module.ts'
import { connectPeer } from './websocket-peer.ts'

const unit = {}
let server: EmbeddedServer

beforeAll(async () => {
  server = await startServer()
  await publish('real', matrixModule('http-add'))
  const routes = [
    { handler_function: 'other', method: { kind: 'Method', value: { kind: 'Get', value: unit } }, path: '/echo' },
    { handler_function: 'echo', method: { kind: 'Any', value: unit }, path: '/echo' }
  ] as const
  const handlers = [{ source_name: 'echo' }, { source_name: 'other' }]
  // One header `x-a: b`, HTTP/1.1, 201.
  const responseHead = Uint8Array.from([1, 0, 0, 0, 3, 0, 0, 0, 120, 45, 97, 1, 0, 0, 0, 98, 2, 201, 0])
  await publish(
    'echo',
    spokenModule(
      [
        { kind: 'HttpHandlers', value: handlers },
        { kind: 'HttpRoutes', value: routes }
      ],
      { responseHead }
    )
  )
})

afterAll(() => server.close())

test("a real module's handler answers", async () => {
  const answer = await fetch(`${server.url}/v1/database/real/route/sign`)
  expect([answer.status, await answer.text()]).toEqual([200, 'open'])
})

test.each([
  ['another path', 'GET', '/nope'],
  ['another method', 'POST', '/sign']
])('%s has no handler', async (_, method, path) => {
  const answer = await fetch(`${server.url}/v1/database/real/route${path}`, { method })
  expect([answer.status, await answer.text()]).toEqual([404, 'Database has not registered a handler for this route'])
})

test('a handler gets the request and answers with status, headers and body', async () => {
  const url = `${server.url}/v1/database/echo/route/echo?a=1`
  const answer = await fetch(url, { method: 'PUT', headers: { 'X-Sent': 'yes' }, body: 'over and out' })
  const body = Buffer.from(await answer.arrayBuffer())
  expect([answer.status, answer.headers.get('x-a')]).toEqual([201, 'b'])
  expect(body[0]).toBe(3)
  expect(body.toString('latin1')).toContain(`\x06\0\0\0x-sent\x03\0\0\0yes`)
  expect(body.toString('latin1')).toContain(url)
  expect(body.toString('latin1').endsWith('\x02over and out')).toBe(true)
})

test('a module that refuses a client ends its WebSocket without a word', async () => {
  const nothing = { kind: 'product', elements: [] } as const
  const reducer = {
    source_name: 'no_entry',
    params: { elements: [] },
    visibility: { kind: 'Private', value: unit },
    ok_return_type: nothing,
    err_return_type: { kind: 'string' }
  } as const
  const event = { lifecycle_spec: { kind: 'OnConnect', value: unit }, function_name: 'no_entry' } as const
  const module = spokenModule(
    [
      { kind: 'Reducers', value: [reducer] },
      { kind: 'LifeCycleReducers', value: [event] }
    ],
    { reducersFail: 'members only' }
  )
  await publish('closed', module)
  const peer = await connectPeer(server, 'closed')
  expect(await peer.ended).toEqual({ closed: 1006, reason: '' })
  const refused = await fetch(`${server.url}/v1/database/closed/sql`, {
    method: 'POST',
    body: 'SELECT * FROM st_client'
  })
  expect([refused.status, await refused.text()]).toEqual([403, 'members only'])
})

async function publish(name: string, module: Uint8Array): Promise<void> {
  const answer = await fetch(`${server.url}/v1/database/${name}`, { method: 'PUT', body: new Uint8Array(module) })
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('created')])
}
