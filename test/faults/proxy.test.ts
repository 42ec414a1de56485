import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { badGateway, type Fault, type FaultProxy, startProxy } from './proxy.ts'

const received: string[] = []
const server = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  received.push(`${request.method} ${request.url} ${body}`)
  response.setHeader('spacetime-identity-token', 'issued-by-header')
  response.end(JSON.stringify({ token: 'issued-in-body', text: 'x'.repeat(100) }))
})
let proxy: FaultProxy

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
beforeEach(async () => {
  received.length = 0
  proxy = await startProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
afterEach(() => proxy.close())
afterAll(() => void server.close())

const put = (path = '/a', timeout = 10_000) =>
  fetch(proxy.url + path, { method: 'PUT', body: 'module', signal: AbortSignal.timeout(timeout) })

const inject = (fault: Fault) => proxy.inject({ match: {}, fault })

test('passes requests and answers on, and keeps a record', async () => {
  const answer = await fetch(`${proxy.url}/v1/identity?x=1`, { headers: { authorization: 'Bearer secret' } })
  expect(await answer.json()).toMatchObject({ token: 'issued-in-body' })
  await put()
  expect(received).toEqual(['GET /v1/identity?x=1 ', 'PUT /a module'])
  const [first, second] = proxy.requests
  expect(first).toMatchObject({
    method: 'GET',
    path: '/v1/identity?x=1',
    hasCredential: true,
    bodyLength: 0,
    status: 200
  })
  expect(second).toMatchObject({ index: 1, bodyLength: 6, hasCredential: false, served: true })
  expect(second?.bodyHash).toMatch(/^[0-9a-f]{64}$/)
  expect([...proxy.issuedTokens]).toEqual(['issued-by-header', 'issued-in-body'])
})

describe('a rule', () => {
  const fault = { kind: 'answer', status: 500 } as const
  const statuses = async (...paths: string[]) => {
    for (const path of paths) await put(path)
    return proxy.requests.map(({ status }) => status)
  }

  test('takes the requests whose method and path fit', async () => {
    proxy.inject({ match: { method: 'PUT', path: /b$/ }, fault }, { match: { method: 'GET' }, fault })
    expect(await statuses('/a', '/b', '/b')).toEqual([200, 500, 500])
  })
  test('takes the nth that fits', async () => {
    proxy.inject({ match: { path: /b$/, nth: 2 }, fault })
    expect(await statuses('/b', '/a', '/b', '/b')).toEqual([200, 200, 500, 200])
  })
  test('takes a position among all', async () => {
    proxy.inject({ match: { index: 1 }, fault })
    expect(await statuses('/a', '/b', '/c')).toEqual([200, 500, 200])
  })
  test('runs its hooks around the server and the answer', async () => {
    const order: string[] = []
    const hook = (name: string) => () => order.push(`${name} ${received.length}`)
    proxy.inject({ match: {}, before: hook('before'), answered: hook('answered'), after: hook('after') })
    await (await put()).text()
    expect(order).toEqual(['before 0', 'answered 1', 'after 1'])
  })
})

describe('faults', () => {
  test.each([
    ['reset-before', { kind: 'reset-before' }, 0],
    ['swallow', { kind: 'swallow' }, 0],
    ['reset-after', { kind: 'reset-after' }, 1],
    ['cut', { kind: 'cut' }, 1]
  ] as const)('%s ends the connection', async (_, fault, forwarded) => {
    inject(fault)
    await expect(put().then((answer) => answer.text())).rejects.toThrow()
    expect(received).toHaveLength(forwarded)
  })

  test.each([
    ['a status', { kind: 'answer', status: 429, headers: { 'retry-after': '2' } }, 429, '', 0],
    ['a status after the server got it', { kind: 'answer', status: 503, body: 'busy', forward: true }, 503, 'busy', 1],
    ['an error page', badGateway, 502, expect.stringContaining('<h1>'), 0]
  ] as const)('%s is the answer', async (_, fault, status, body, forwarded) => {
    inject(fault)
    const answer = await put()
    expect([answer.status, await answer.text()]).toEqual([status, body])
    expect(received).toHaveLength(forwarded)
  })

  test('a truncated answer is half of it, whole in form', async () => {
    inject({ kind: 'truncate' })
    const answer = await put()
    const text = await answer.text()
    expect(text).toMatch(/^\{"token"/)
    expect(text).toHaveLength(Number(answer.headers.get('content-length')))
    expect(() => JSON.parse(text)).toThrow()
  })

  test.each([{ kind: 'hang' }, { kind: 'hang', forward: true }, { kind: 'stall' }] as const)(
    'an answer that never ends: %j',
    async (fault) => {
      inject(fault)
      await expect(put('/a', 300).then((answer) => answer.text())).rejects.toThrow('timeout')
      expect(received).toHaveLength('forward' in fault || fault.kind === 'stall' ? 1 : 0)
    }
  )

  test.each([
    { kind: 'trickle', duration: 200 },
    { kind: 'delay', duration: 200 }
  ] as const)('a late answer is whole: %j', async (fault) => {
    inject(fault)
    const startedAt = performance.now()
    expect(await (await put()).json()).toMatchObject({ token: 'issued-in-body' })
    expect(performance.now() - startedAt).toBeGreaterThan(180)
  })
})

test('refuses connections from the moment it goes down, and takes them again', async () => {
  proxy.inject({ match: { nth: 1 }, answered: () => proxy.goDown() })
  expect((await put()).status).toBe(200)
  await expect(put()).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
  await proxy.comeUp()
  expect((await put()).status).toBe(200)
  expect(received).toHaveLength(2)
})
