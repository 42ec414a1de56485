import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from '@jest/globals'
import { selfSigned } from './certificate.ts'
import { serve, serveRaw } from './http-server.ts'
import { serveClients } from './web-socket-server.ts'

type Closable = { close(): Promise<void> }

const open: Closable[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()))
})

function opened<Server extends Closable>(server: Server): Server {
  open.push(server)
  return server
}

describe('proxies', () => {
  test('HTTPS_PROXY: TLS goes through a tunnel, to the name that was asked for', async () => {
    const tls = selfSigned({ names: ['stdb.test'] })
    const server = opened(await serve((_, response) => response.end('through'), { tls }))
    const proxy = opened(await connectProxy(server.port))
    await withFile(tls.cert, async (authority) => {
      const environment = { HTTPS_PROXY: `http://user:secret@127.0.0.1:${proxy.port}`, NODE_EXTRA_CA_CERTS: authority }
      expect(await askFrom(environment, 'https://stdb.test/v1/ping')).toEqual({
        kind: 'answered',
        status: 200,
        body: 'through'
      })
    })
    expect(proxy.heads).toHaveLength(1)
    expect(proxy.heads[0]).toContain('CONNECT stdb.test:443 ')
    expect(proxy.heads[0]).toContain(`Proxy-Authorization: Basic ${Buffer.from('user:secret').toString('base64')}`)
    expect(proxy.heads[0]).not.toContain('Bearer')
    expect(server.requests[0]?.headers.authorization).toBe('Bearer secret')
  })

  test('HTTP_PROXY: plain http goes through a tunnel too', async () => {
    const server = opened(await serve((_, response) => response.end('through')))
    const proxy = opened(await connectProxy(server.port))
    expect(await askFrom({ HTTP_PROXY: proxy.url }, 'http://stdb.test:3000/')).toMatchObject({ body: 'through' })
    expect(proxy.heads[0]).toContain('CONNECT stdb.test:3000 ')
  })

  test('NO_PROXY excepts a host', async () => {
    const proxy = opened(await connectProxy(1))
    const environment = { HTTP_PROXY: proxy.url, NO_PROXY: 'other.test, .invalid' }
    expect(await askFrom(environment, 'http://nowhere.invalid/')).toMatchObject({
      kind: 'not-sent',
      code: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/)
    })
    expect(proxy.heads).toEqual([])
  })

  test('loopback never goes through a proxy', async () => {
    const server = opened(await serve((_, response) => response.end('direct')))
    expect(await askFrom({ HTTP_PROXY: 'http://127.0.0.1:1' }, server.url)).toMatchObject({ body: 'direct' })
  })

  test('a proxy that refuses, or is not there: nothing was sent', async () => {
    const proxy = opened(await serveRaw((socket) => socket.once('data', () => socket.end('HTTP/1.1 403 No\r\n\r\n'))))
    expect(await askFrom({ HTTP_PROXY: proxy.url }, 'http://stdb.test/')).toMatchObject({
      kind: 'not-sent',
      message: expect.stringContaining('tunneling socket could not be established, statusCode=403')
    })
    expect(await askFrom({ HTTP_PROXY: 'http://127.0.0.1:1' }, 'http://stdb.test/')).toMatchObject({
      kind: 'not-sent',
      message: expect.stringContaining('ECONNREFUSED')
    })
  })

  test('a proxy that hangs is left after the deadline, and the process can end', async () => {
    const proxy = opened(await serveRaw(() => {}))
    expect(await askFrom({ HTTPS_PROXY: proxy.url }, 'https://stdb.test/', '300')).toMatchObject({
      kind: 'not-sent',
      message: 'no answer within 300 ms'
    })
  })
})

describe('a WebSocket', () => {
  const welcome = `{"IdentityToken":{"identity":{"__identity__":"0x${'c2'.repeat(32)}"},"token":"t","connection_id":{"__connection_id__":7}}}`

  test('goes through a proxy, in TLS too, by an authority of NODE_EXTRA_CA_CERTS', async () => {
    const tls = selfSigned({ names: ['stdb.test'] })
    const server = opened(await serveClients({ tls, onClient: ({ socket }) => socket.send(welcome) }))
    const proxy = opened(await connectProxy(server.port))
    await withFile(tls.cert, async (authority) => {
      const environment = { HTTPS_PROXY: `http://user:secret@127.0.0.1:${proxy.port}`, NODE_EXTRA_CA_CERTS: authority }
      const answer = await runIn(environment, 'connect-client.ts', ['https://stdb.test'])
      expect(answer).toEqual({ identity: 'c2'.repeat(32) })
    })
    expect(proxy.heads[0]).toContain('CONNECT stdb.test:443 ')
    expect(server.upgrades[0]?.headers.host).toBe('stdb.test')
  })

  const connecting = (proxy: string) => runIn({ HTTP_PROXY: proxy }, 'connect-client.ts', ['http://stdb.test', '2000'])

  test('goes through a proxy in plain http too', async () => {
    const server = opened(await serveClients({ onClient: ({ socket }) => socket.send(welcome) }))
    const proxy = opened(await connectProxy(server.port))
    expect(await connecting(proxy.url)).toEqual({ identity: 'c2'.repeat(32) })
  })

  test('tells when the proxy hangs or is not there', async () => {
    const hanging = opened(await serveRaw(() => {}))
    expect(await connecting(hanging.url)).toMatchObject({ kind: 'unreachable' })
    expect(await connecting('http://127.0.0.1:1')).toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('the proxy of HTTPS_PROXY or HTTP_PROXY gave no connection')
    })
  })
})

describe('certificates', () => {
  test('NODE_EXTRA_CA_CERTS makes an authority known', async () => {
    const tls = selfSigned()
    const server = opened(await serve((_, response) => response.end('trusted'), { tls }))
    await withFile(tls.cert, async (authority) => {
      expect(await askFrom({ NODE_EXTRA_CA_CERTS: authority }, server.url)).toMatchObject({ body: 'trusted' })
    })
  })

  test('a certificate for another host is refused, and so is one that expired, although the authority is known', async () => {
    const other = selfSigned({ names: ['other.test'] })
    const expired = selfSigned({ expired: true })
    for (const [tls, code] of [
      [other, 'ERR_TLS_CERT_ALTNAME_INVALID'],
      [expired, 'CERT_HAS_EXPIRED']
    ] as const) {
      const server = opened(await serve((_, response) => response.end(), { tls }))
      await withFile(tls.cert, async (authority) => {
        const url = server.url.replace('127.0.0.1', 'localhost')
        expect(await askFrom({ NODE_EXTRA_CA_CERTS: authority }, url)).toMatchObject({ kind: 'not-sent', code })
      })
      expect(server.requests).toEqual([])
    }
  })
})

/** A proxy that connects to a port of loopback, whatever host it is asked for. */
async function connectProxy(port: number) {
  const heads: string[] = []
  const proxy = await serveRaw((socket) =>
    socket.once('data', (head) => {
      heads.push(head.toString('latin1'))
      const target = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        socket.pipe(target).pipe(socket)
      })
      target.on('error', () => socket.destroy())
      socket.on('error', () => target.destroy()).on('close', () => target.destroy())
    })
  )
  return { url: proxy.url, port: proxy.port, close: proxy.close, heads }
}

async function withFile(text: string, use: (path: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'certificate-'))
  try {
    await writeFile(join(directory, 'ca.pem'), text)
    await use(join(directory, 'ca.pem'))
  } finally {
    await rm(directory, { recursive: true })
  }
}

function askFrom(environment: Record<string, string>, ...parameters: string[]): Promise<unknown> {
  return runIn(environment, 'ask.ts', parameters)
}

async function runIn(environment: Record<string, string>, name: string, parameters: string[]): Promise<unknown> {
  const script = fileURLToPath(new URL(name, import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...parameters], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let printed = ''
  let errors = ''
  child.stdout.on('data', (chunk) => (printed += chunk))
  child.stderr.on('data', (chunk) => (errors += chunk))
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`exit ${code}: ${errors}`)
  return JSON.parse(printed)
}
