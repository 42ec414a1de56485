import { describe, expect, test } from '@jest/globals'
import { logLines } from '../../src/spacetimedb/log-stream.ts'
import { call, eventually, type World } from './world.ts'

/** What can be seen of a database that runs. */
export function testObservation(world: World): void {
  describe('logs', () => {
    test('come in order, and go on while they are followed', async () => {
      const name = await world.create('counter-panics')
      await call(world.owner, name, 'health_check', [])
      const lines: string[] = []
      for await (const { level, message } of world.owner.client.logs(name, { lines: 2 }))
        lines.push(`${level} ${message}`)
      expect(lines).toEqual(['Info Database initialized', 'Panic health_check panicked on purpose (1 rows)'])
      const ended = new AbortController()
      const { body } = await fetch(`${world.url}/v1/database/${name}/logs?num_lines=1&follow=true`, {
        headers: { authorization: `Bearer ${world.owner.token}` },
        signal: ended.signal
      })
      if (body === null) throw new Error('the answer has no body')
      const followed: string[] = []
      for await (const { level } of logLines(body)) {
        followed.push(level)
        if (followed.length === 1) await call(world.owner, name, 'health_check', [])
        else break
      }
      ended.abort()
      expect(followed).toEqual(['Panic', 'Panic'])
    })
  })

  test('metrics count transactions by reducer', async () => {
    const name = await world.create('counter-unhealthy')
    await call(world.owner, name, 'health_check', [])
    const { identity } = (await world.owner.client.resolve(name)) as { identity: string }
    await eventually(async () => {
      const lines = ((await world.owner.client.metrics()) ?? '').split('\n')
      const own = lines.filter((line) => line.startsWith('spacetime_num_txns_total') && line.includes(identity))
      expect(
        own.filter((line) => line.includes('reducer="health_check"') && line.includes('committed="false"'))
      ).toHaveLength(1)
    })
  })
}
