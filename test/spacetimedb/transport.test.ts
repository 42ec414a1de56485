import { getEventListeners } from 'node:events'
import { afterEach, describe, expect, test } from '@jest/globals'
import { DeadlineExceeded } from '../../src/spacetimedb/attempt.ts'
import { createTransport, type Request } from '../../src/spacetimedb/transport.ts'
import { selfSigned } from './certificate.ts'
import { type Answering, serve, serveRaw, type TestServer } from './http-server.ts'

let server: TestServer | undefined

afterEach(async () => {
  await server?.close()
  server = undefined
})

async function ask(answering: Answering, more: Partial<Request> = {}) {
  server = await serve(answering)
  return createTransport('test').exchange(requestTo(server.url, more))
}

function requestTo(url: string, more: Partial<Request> = {}): Request {
  return {
    method: 'GET',
    url: `${url}/v1/ping`,
    headers: {},
    timeout: 5000,
    longestAnswer: 1024 * 1024,
    mayShareConnection: false,
    ...more
  }
}

describe('an exchange that works', () => {
  test('carries method, path, headers and bytes there and the answer back', async () => {
    const body = Uint8Array.from({ length: 300_000 }, (_, index) => index % 251)
    const exchange = await ask(
      (_, response) => response.writeHead(207, { 'x-answer': 'yes', 'content-type': 'text/plain' }).end('grüße'),
      { method: 'PUT', body, headers: { authorization: 'Bearer t' } }
    )
    expect(exchange).toMatchObject({
      kind: 'answered',
      answer: { status: 207, headers: { 'x-answer': 'yes' }, body: 'grüße' }
    })
    const [request] = server?.requests ?? []
    expect(request).toMatchObject({
      method: 'PUT',
      path: '/v1/ping',
      headers: { authorization: 'Bearer t', 'content-length': '300000', 'user-agent': 'test' }
    })
    expect(Buffer.compare(request?.body ?? Buffer.alloc(0), body)).toBe(0)
  })

  test('follows no redirect, so that the token goes nowhere else', async () => {
    const elsewhere = await serve((_, response) => response.end('here'))
    const exchange = await ask((_, response) => response.writeHead(307, { location: `${elsewhere.url}/` }).end(), {
      method: 'PUT',
      headers: { authorization: 'Bearer t' },
      body: new Uint8Array(10)
    })
    expect(exchange).toMatchObject({ kind: 'answered', answer: { status: 307 } })
    expect(elsewhere.requests).toEqual([])
    await elsewhere.close()
  })

  test('shares a connection only where it may', async () => {
    server = await serve((_, response) => response.end())
    const transport = createTransport('test')
    for (let count = 0; count < 3; count++) {
      await transport.exchange(requestTo(server.url, { mayShareConnection: true }))
    }
    expect(server.connections).toBe(1)
    await transport.exchange(requestTo(server.url, { mayShareConnection: false }))
    await transport.exchange(requestTo(server.url, { mayShareConnection: false }))
    expect(server.connections).toBe(3)
  })

  test('is not disturbed by a shared connection that the server has closed', async () => {
    server = await serve((request, response) => response.end(() => request.socket.destroy()))
    const transport = createTransport('test')
    await transport.exchange(requestTo(server.url, { mayShareConnection: true }))
    const exchange = await transport.exchange(requestTo(server.url, { method: 'PUT', body: new Uint8Array(5) }))
    expect(exchange).toMatchObject({ kind: 'answered' })
  })

  test('takes an answer that comes before a large body is read', async () => {
    const early = await serveRaw((socket) => {
      socket.once('data', () => {
        socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno')
        socket.pause()
        setTimeout(() => socket.destroy(), 100)
      })
    })
    const exchange = await createTransport('test').exchange(
      requestTo(early.url, { method: 'PUT', body: new Uint8Array(20_000_000), mayShareConnection: true })
    )
    // Which of the two it is, the machine's speed decides; an error event that nobody hears would end the process.
    expect(['answered', 'lost']).toContain(exchange.kind)
    await new Promise((resolve) => setTimeout(resolve, 200))
    await early.close()
  })
})

describe('an exchange that is lost: the server may have acted', () => {
  test.each<[string, Answering, Partial<Request>, object]>([
    ['a reset after the request', ({ socket }) => socket.resetAndDestroy(), {}, { code: 'ECONNRESET' }],
    ['no answer in time', () => {}, { timeout: 100 }, { milliseconds: 100 }],
    [
      'a body that trickles',
      (_, response) => {
        response.writeHead(200)
        const timer = setInterval(() => response.write('x'), 20)
        response.on('close', () => clearInterval(timer))
      },
      { timeout: 200 },
      { milliseconds: 200 }
    ],
    [
      'an answer cut off in the middle',
      ({ socket }, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('{"Succ')
        setTimeout(() => socket.destroy(), 20)
      },
      {},
      { code: 'ECONNRESET' }
    ],
    [
      'an answer without end',
      (_, response) => response.end('x'.repeat(2000)),
      { longestAnswer: 1000 },
      { name: 'AnswerTooLong' }
    ],
    ['an answer that is not HTTP', ({ socket }) => socket.end('hello\r\n\r\n'), {}, { code: 'HPE_INVALID_CONSTANT' }]
  ])('%s', async (_, answering, more, cause) => {
    expect(await ask(answering, more)).toMatchObject({ kind: 'lost', cause })
    expect(server?.requests).toHaveLength(1)
  })

  test('a reset in the middle of the request', async () => {
    const rude = await serveRaw((socket) => socket.once('data', () => socket.resetAndDestroy()))
    const upload = requestTo(rude.url, { method: 'PUT', body: new Uint8Array(20_000_000) })
    expect(await createTransport('test').exchange(upload)).toMatchObject({ kind: 'lost' })
    await rude.close()
  })
})

describe('an exchange that was not sent: the server saw nothing', () => {
  test('nothing listens', async () => {
    server = await serve(() => {})
    const { url } = server
    await server.close()
    expect(await createTransport('test').exchange(requestTo(url))).toMatchObject({
      kind: 'not-sent',
      cause: { code: 'ECONNREFUSED' }
    })
  })

  test('there is no such host', async () => {
    const exchange = await createTransport('test').exchange(requestTo('http://nowhere.invalid'))
    expect(exchange).toMatchObject({ kind: 'not-sent', cause: { code: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) } })
  })

  test('the TLS handshake never ends', async () => {
    const silent = await serveRaw(() => {})
    const request = requestTo(silent.url.replace('http:', 'https:'), { timeout: 100 })
    expect(await createTransport('test').exchange(request)).toEqual({
      kind: 'not-sent',
      cause: new DeadlineExceeded(100)
    })
    await silent.close()
  })

  test.each([
    ['an unknown authority', selfSigned(), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['an expired certificate', selfSigned({ expired: true }), /CERT_HAS_EXPIRED|DEPTH_ZERO_SELF_SIGNED_CERT/]
  ])('%s: the request never leaves', async (_, tls, code) => {
    server = await serve((_, response) => response.end(), { tls })
    const exchange = await createTransport('test').exchange(
      requestTo(server.url, { method: 'PUT', headers: { authorization: 'Bearer secret' }, body: new Uint8Array(9) })
    )
    expect(exchange).toMatchObject({ kind: 'not-sent', cause: { code: expect.stringMatching(code) } })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(server.requests).toEqual([])
  })

  test('https to a server that speaks http', async () => {
    server = await serve((_, response) => response.end())
    const exchange = await createTransport('test').exchange(requestTo(server.url.replace('http:', 'https:')))
    expect(exchange).toMatchObject({ kind: 'not-sent', cause: { code: expect.stringMatching(/^(ERR_SSL|EPROTO)/) } })
  })
})

describe('a signal that outlives its requests', () => {
  test('holds on to none that is over', async () => {
    server = await serve((request, response) => response.writeHead(request.path === '/no' ? 404 : 200).end('a line\n'))
    const outer = new AbortController()
    const transport = createTransport('test')
    for (const path of ['/yes', '/no']) {
      const stream = await transport.stream(requestTo(`${server.url}`, { url: `${server.url}${path}` }), outer.signal)
      if (stream.kind === 'streaming') for await (const chunk of stream.chunks) expect(String(chunk)).toBe('a line\n')
    }
    await transport.stream(requestTo('http://127.0.0.1:1'), outer.signal)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(getEventListeners(outer.signal, 'abort')).toHaveLength(0)
  })
})
