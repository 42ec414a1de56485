import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openConnectionAsStranger } from '../../src/action/connection.ts'
import { type EmbeddedServer, startServer } from '../embedded/server.ts'
import { startProxy } from '../faults/proxy.ts'
import { fixtureModule } from '../fixtures.ts'
import { quietLog } from '../quiet-log.ts'
import { startRecordingProxy } from '../rehearsal/recording-proxy.ts'

quietLog()

let live: EmbeddedServer

beforeAll(async () => {
  live = await startServer()
  const authorization = `Bearer ${await live.issueToken('owner')}`
  const body = new Uint8Array(fixtureModule('counter.wasm'))
  await fetch(`${live.url}/v1/database/counter`, { method: 'PUT', headers: { authorization }, body })
})

afterAll(() => live.close())

test('without a credential one new identity asks all', async () => {
  const proxy = await startRecordingProxy(live.url)
  try {
    const { server, identity } = await openConnectionAsStranger(proxy.url)
    for (let count = 0; count < 2; count++) await server.sql('counter', 'SELECT * FROM counter')
    expect(identity).toMatch(/^[0-9a-f]{64}$/)
    const tokens = proxy.seen.filter(({ path }) => path.endsWith('/sql')).map(({ token }) => token)
    expect(tokens).toHaveLength(2)
    expect(new Set(tokens).size).toBe(1)
    expect(tokens[0]).toMatch(/^Bearer ./)
  } finally {
    await proxy.close()
  }
})

test('where the server gives no identity, it is asked without', async () => {
  const proxy = await startProxy(live.url)
  try {
    proxy.inject({ match: { path: /\/v1\/identity$/ }, fault: { kind: 'answer', status: 404 } })
    const { server, identity } = await openConnectionAsStranger(proxy.url)
    expect(identity).toBeUndefined()
    expect(await server.sql('counter', 'SELECT * FROM counter')).toMatchObject({ kind: 'rows' })
  } finally {
    await proxy.close()
  }
})
