import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Finding } from '../../../src/smoke/check-report.ts'
import { runConnections } from '../../../src/smoke/kinds/connections.ts'
import type { CheckPlace } from '../../../src/smoke/place.ts'
import { readDatabaseMetrics } from '../../../src/spacetimedb/database-metrics.ts'
import { attempt, type CounterServer, checkOf, placeAt, someToken, startCounter } from './trial.ts'

function connections(
  place: CheckPlace,
  written: Readonly<Record<string, unknown>>,
  signal?: AbortSignal
): Promise<Finding> {
  return runConnections(checkOf('connections', { stay: '100ms', ...written }), place, attempt(signal))
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 10_000; !(await isSo()); ) {
    if (performance.now() > end) throw new Error('it did not come about within 10 s')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('clients of a module', () => {
  let counter: CounterServer

  beforeAll(async () => {
    counter = await startCounter()
  })

  afterAll(() => counter.embedded.close())

  const connected = async () => (await readDatabaseMetrics(counter.owner, 'counter'))?.connectedClients

  test.each(['owner', 'anonymous'])('connect as %s, are all there while they stay, and leave', async (as) => {
    const work = connections(counter.place, { connections: 60, stay: '2s', as })
    await until(async () => (await connected()) === 60)
    expect(await work).toMatchObject({
      kind: 'passed',
      detail: expect.stringMatching(/^60 connected \(handshakes: p50 .*, p95 .*, max .*\) and stayed 2 s$/)
    })
    await until(async () => (await connected()) === 0)
  })

  test('that are cut off leave', async () => {
    const cancel = new AbortController()
    const work = connections(counter.place, { connections: 5, stay: '1m' }, cancel.signal)
    await until(async () => (await connected()) === 5)
    cancel.abort()
    expect(await work).toMatchObject({ kind: 'failed', actual: expect.stringContaining('the time was over') })
    await until(async () => (await connected()) === 0)
  })

  test('are not connected to a database that is not there', async () => {
    const finding = await connections({ ...counter.place, database: 'another' }, { connections: 3, stay: '1m' })
    expect(finding).toMatchObject({ kind: 'failed', expected: '3 connect and stay 60 s' })
    expect(finding).toMatchObject({ actual: expect.stringMatching(/^none connected; 3 did not: 3 × .*another/) })
  })
})

describe('clients of a server', () => {
  const servers: (() => void)[] = []

  afterEach(() => {
    for (const close of servers.splice(0)) close()
  })

  /** `meet` gets each client that connects, in order; `refuse` answers a status instead. */
  async function serve(
    meet: (socket: WebSocket, index: number) => void,
    refuse: (index: number) => number | undefined
  ) {
    const sockets = new Set<WebSocket>()
    let most = 0
    let handshakes = 0
    let count = 0
    const upgrader = new WebSocketServer({ noServer: true, handleProtocols: ([first]) => first ?? false })
    const http = createServer((_, response) => response.writeHead(404).end())
    http.on('upgrade', (request, raw, head) => {
      const index = count++
      most = Math.max(most, ++handshakes)
      const status = refuse(index)
      setTimeout(() => {
        handshakes -= 1
        if (status !== undefined) return raw.end(`HTTP/1.1 ${status} No\r\ncontent-length: 4\r\n\r\nfull`)
        upgrader.handleUpgrade(request, raw, head, (socket) => {
          sockets.add(socket)
          socket.on('close', () => sockets.delete(socket))
          meet(socket, index)
        })
      }, 20)
    })
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    servers.push(() => {
      for (const socket of sockets) socket.terminate()
      http.closeAllConnections()
      http.close()
    })
    return {
      place: placeAt(`http://127.0.0.1:${(http.address() as AddressInfo).port}`),
      sockets,
      most: () => most,
      count: () => count
    }
  }

  const greeting = JSON.stringify({
    IdentityToken: {
      identity: { __identity__: `0x${'c2'.padEnd(64, '0')}` },
      token: someToken,
      connection_id: { __connection_id__: 1 }
    }
  })
  const greet = (socket: WebSocket) => socket.send(greeting)
  const nobody = () => undefined

  test('connect not more than 50 at once', async () => {
    const server = await serve(greet, nobody)
    expect(await connections(server.place, { connections: 120 })).toMatchObject({ kind: 'passed' })
    expect(server.count()).toBe(120)
    expect(server.most()).toBeLessThanOrEqual(50)
    await until(() => server.sockets.size === 0)
  })

  test('that are refused are counted with the reason, and the others need not stay', async () => {
    const server = await serve(greet, (index) => (index % 3 === 0 ? 503 : undefined))
    const finding = await connections(server.place, { connections: 9, stay: '1m' })
    expect(finding).toMatchObject({
      kind: 'failed',
      actual: expect.stringMatching(/^6 connected \(.*\); 3 did not: 3 × .*503.*full/)
    })
    await until(() => server.sockets.size === 0)
  })

  test('that are lost while they stay are counted with the reason', async () => {
    const server = await serve((socket, index) => {
      greet(socket)
      if (index % 2 === 0) setTimeout(() => socket.close(1011, 'too many'), 100)
    }, nobody)
    const finding = await connections(server.place, { connections: 4, stay: '500ms' })
    expect(finding).toMatchObject({
      kind: 'failed',
      actual: expect.stringMatching(/^4 connected \(.*\); 2 did not stay: 2 × .*1011, too many/)
    })
    await until(() => server.sockets.size === 0)
  })

  test('that are never told who they are count as refused when the time is over', async () => {
    const server = await serve((socket, index) => {
      if (index > 0) greet(socket)
    }, nobody)
    const finding = await connections(server.place, { connections: 3, timeout: '500ms' })
    expect(finding).toMatchObject({ actual: expect.stringMatching(/^2 connected .*; 1 did not: 1 × .*who we are/) })
    await until(() => server.sockets.size === 0)
  })

  test('are not tried again and again when none can connect', async () => {
    const server = await serve(greet, () => 503)
    const finding = await connections(server.place, { connections: 1000 })
    expect(finding).toMatchObject({ kind: 'failed', actual: expect.stringMatching(/not tried any more$/) })
    expect(server.count()).toBeLessThanOrEqual(100)
  })

  const onUnix = process.platform === 'win32' ? test.skip : test

  onUnix('more of them than this process may have files are told so', async () => {
    const server = await serve(greet, nobody)
    const script = fileURLToPath(new URL('many-connections.ts', import.meta.url))
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      'ulimit -n 100 && exec "$0" --import tsx "$1" "$2"',
      process.execPath,
      script,
      server.place.server.url
    ])
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'not-run',
      final: true,
      reason: expect.stringContaining('Raise the limit')
    })
    await until(() => server.sockets.size === 0)
  })
})
