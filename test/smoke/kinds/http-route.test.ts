import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { runHttpRoute } from '../../../src/smoke/kinds/http-route.ts'
import type { FaultProxy } from '../../faults/proxy.ts'
import { startProxy } from '../../faults/proxy.ts'
import { matrixWasm, prepareWorld } from '../../server/world.ts'
import { checkOf, placeOf, tryOnce } from './trial.ts'

const world = prepareWorld()

type Written = Readonly<Record<string, unknown>>

/** The module's only route is `GET /sign`; what other ones would answer is put in on the way. */
let proxy: FaultProxy

beforeAll(async () => {
  proxy = await startProxy(world.url)
  const answer = (path: RegExp, body: string, status = 200) =>
    proxy.inject({ match: { path }, fault: { kind: 'answer', status, body } })
  answer(/route\/health/, '{"players": 18446744073709551615, "open": true}')
  answer(/route\/hello/, 'Hello,\nworld')
  answer(/route\/gone/, 'it is gone', 410)
  answer(/route\/missing/, '', 404)
})

afterAll(() => proxy.close())

let database: Promise<string> | undefined

async function route(written: Written) {
  database ??= world.create(matrixWasm('http-add'))
  const place = await placeOf(world, await database, { url: proxy.url })
  return tryOnce(runHttpRoute, checkOf('http-route', written), place)
}

describe('an answer as it should be', () => {
  test.each<[Written, detail: string]>([
    [{ 'http-route': '/sign', contains: 'open' }, 'status 200'],
    [{ 'http-route': '/health' }, 'status 200'],
    [{ 'http-route': '/health?full=1', json: { open: true, players: 18446744073709551615n } }, 'status 200'],
    [{ 'http-route': '/hello', contains: 'world', matches: '^Hello,\\s+w' }, 'status 200'],
    [{ 'http-route': '/gone', status: 410, method: 'POST', body: 'x' }, 'status 410']
  ])('%j', async (written, detail) => {
    expect(await route(written)).toEqual({ kind: 'passed', detail })
  })

  test('method, headers and body are sent, and no token', async () => {
    const count = proxy.requests.length
    await route({ 'http-route': '/hello', method: 'PUT', body: 'four', headers: { 'x-game': '1' } })
    expect(proxy.requests.slice(count)).toMatchObject([{ method: 'PUT', bodyLength: 4, hasCredential: false }])
  })
})

describe('an answer otherwise', () => {
  test.each<[Written, expected: string, actual: string]>([
    [
      { 'http-route': '/sing' },
      'status 200',
      "status 404: Database has not registered a handler for this route (the module's routes: GET /sign)"
    ],
    [{ 'http-route': '/sign', matches: '^closed$' }, 'an answer that matches /^closed$/', '"open"'],
    [{ 'http-route': '/gone' }, 'status 200', 'status 410: it is gone'],
    [{ 'http-route': '/missing' }, 'status 200', "status 404 (the module's routes: GET /sign)"],
    [{ 'http-route': '/hello', contains: 'moon' }, 'an answer with "moon"', '"Hello, world"'],
    [{ 'http-route': '/hello', matches: '^world' }, 'an answer that matches /^world/', '"Hello, world"'],
    [{ 'http-route': '/hello', json: { open: true } }, 'an answer in JSON', '"Hello, world"'],
    [{ 'http-route': '/missing', status: 404, contains: 'x' }, 'an answer with "x"', 'an empty answer'],
    [{ 'http-route': '/health', json: { open: true, players: 1 } }, 'players = 1', 'players = 18446744073709551615']
  ])('%j', async (written, expected, actual) => {
    expect(await route(written)).toEqual({ kind: 'failed', expected, actual })
  })

  test('a path that leads elsewhere is not asked for', async () => {
    expect(await route({ 'http-route': '/../logs' })).toEqual({
      kind: 'not-run',
      reason: expect.stringContaining('/../logs'),
      final: true
    })
  })

  test('no answer, and one that is lost, are sent once', async () => {
    proxy.inject({ match: { path: /route\/slow/ }, fault: { kind: 'hang' } })
    proxy.inject({ match: { path: /route\/lost/ }, fault: { kind: 'reset-after' } })
    const count = proxy.requests.length
    expect(await route({ 'http-route': '/slow', timeout: '300ms' })).toEqual({
      kind: 'failed',
      expected: 'an answer within 300ms',
      actual: 'none'
    })
    expect(await route({ 'http-route': '/lost' })).toMatchObject({ kind: 'failed', expected: 'an answer' })
    expect(proxy.requests).toHaveLength(count + 2)
  })
})
