import { setImmediate } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { followLog } from '../../src/smoke/log-follower.ts'
import type { LogLine, Server } from '../../src/spacetimedb/server.ts'
import { turnedClock } from './model-place.ts'

test('a flood of lines waits until those before were taken', async () => {
  let sent = 0
  const server: Pick<Server, 'logs'> = {
    async *logs(_, { signal }) {
      for (; !signal?.aborted; sent++) {
        await setImmediate()
        yield { level: 'Info', timestamp: BigInt(sent + 1), message: `${sent}` } satisfies LogLine
      }
    }
  }
  const follower = followLog(server, 'game', { after: 0n, clock: turnedClock(), most: 10 })
  const settle = async () => {
    for (let turn = 0; turn < 50; turn++) await setImmediate()
  }
  const taken: string[] = []
  for (let look = 0; look < 5; look++) {
    await settle()
    const lines = follower.take()
    expect(lines).toHaveLength(10)
    taken.push(...lines.map(({ message }) => message))
  }
  expect(taken).toEqual(Array.from({ length: 50 }, (_, index) => `${index}`))
  await settle()
  expect(sent).toBe(59)
  await follower.close()
})
