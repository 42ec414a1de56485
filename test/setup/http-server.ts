import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll } from '@jest/globals'
import { type Clock, systemClock } from '../../src/clock.ts'
import type { Network } from '../../src/spacetimedb/network.ts'
import { createTransport } from '../../src/spacetimedb/transport.ts'

/** Starts servers on loopback that end after the tests of a file; each answers its URL. */
export function httpServers(): (listener: RequestListener) => Promise<string> {
  const servers: Server[] = []
  afterAll(() => {
    for (const server of servers) {
      server.closeAllConnections()
      server.close()
    }
  })
  return async (listener) => {
    const server = createServer(listener)
    servers.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
}

/** A network that tries three times without waiting. What is told before trying again is noted. */
export function hastyNetwork(signal?: AbortSignal): Network & { readonly retries: readonly string[] } {
  const retries: string[] = []
  const clock: Clock = { ...systemClock, sleep: async () => {} }
  return {
    transport: createTransport('test'),
    clock,
    patience: { attempts: 3, firstDelay: 1, longestDelay: 1, total: 60_000 },
    onRetry: (message) => retries.push(message),
    retries,
    signal
  }
}
