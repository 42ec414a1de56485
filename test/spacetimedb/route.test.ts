import { afterEach, describe, expect, test } from '@jest/globals'
import { connect } from '../../src/spacetimedb/client.ts'
import { type Answering, serve } from './http-server.ts'
import { ownCredential } from './tokens.ts'

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()))
})

async function against(answering: Answering) {
  const server = await serve(answering)
  open.push(server)
  return { server, client: connect({ url: server.url, credential: ownCredential }) }
}

describe('a request to an HTTP handler', () => {
  test('is sent as it is, without our token, and answered whatever the status', async () => {
    const { server, client } = await against((_, response) =>
      response.writeHead(418, { 'x-kind': 'teapot', 'set-cookie': ['a=1', 'b=2'] }).end('naïve')
    )
    const answer = await client.route('my db', {
      method: 'PATCH',
      path: '/tea/pot?sugar=2',
      headers: { 'content-type': 'text/x', authorization: 'Bearer theirs' },
      body: 'milk'
    })
    expect(answer).toMatchObject({
      status: 418,
      body: 'naïve',
      headers: { 'x-kind': 'teapot', 'set-cookie': 'a=1, b=2' }
    })
    expect(server.requests[0]).toMatchObject({
      method: 'PATCH',
      path: '/v1/database/my%20db/route/tea/pot?sugar=2',
      headers: { 'content-type': 'text/x', authorization: 'Bearer theirs' }
    })
    expect(server.requests[0]?.body.toString()).toBe('milk')
  })

  test.each(['GET', 'HEAD', 'DELETE', 'OPTIONS'] as const)('%s, without a body', async (method) => {
    const { server, client } = await against((_, response) => response.writeHead(204).end())
    expect(await client.route('counter', { method, path: '/' })).toMatchObject({ status: 204, body: '' })
    expect(server.requests[0]).toMatchObject({ method, path: '/v1/database/counter/route/' })
    expect(server.requests[0]?.headers).not.toHaveProperty('authorization')
  })

  test.each([500, 503, 429])('is sent once, also when the answer is %i', async (status) => {
    const { server, client } = await against((_, response) => response.writeHead(status).end())
    expect(await client.route('counter', { method: 'POST', path: '/x' })).toMatchObject({ status })
    expect(server.requests).toHaveLength(1)
  })

  test.each(['', 'health', '/../sql', '/a/../../call/x', '/%2e%2e/sql', '/a#b'])('%j is no path', async (path) => {
    const { server, client } = await against((_, response) => response.end())
    await expect(client.route('counter', { method: 'GET', path })).rejects.toMatchObject({ name: 'ConfigurationError' })
    expect(server.requests).toEqual([])
  })

  test.each<[string, Answering, string]>([
    ['without a database', (_, response) => response.writeHead(404).end('`counter` not found'), 'missing'],
    ['without an answer', () => {}, 'timed-out'],
    ['with a reset', ({ socket }) => socket.resetAndDestroy(), 'interrupted'],
    ['with more than is taken', (_, response) => response.end(Buffer.alloc(17 << 20)), 'unexpected-answer']
  ])('%s it fails', async (_, answering, kind) => {
    const { client } = await against(answering)
    const asking = client.route('counter', { method: 'GET', path: '/x', timeout: kind === 'timed-out' ? 200 : 10_000 })
    await expect(asking).rejects.toMatchObject({ name: 'ServerFailure', kind })
  })
})
