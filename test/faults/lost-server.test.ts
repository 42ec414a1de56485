import { expect, test } from '@jest/globals'
import { hashOf, startStage } from '../runner/stage.ts'
import { type Journey, journeys, placesOf, travel, violations } from './journeys.ts'

/** Long enough that requests fail, short enough that a deploy waits for it. */
const down = 1500

const [update] = journeys as [Journey]
const stage = await startStage()
const places = placesOf((await travel(stage, update)).requests)
await stage.server.close()

test.concurrent.each(places)(
  'the server restarts when it gets $title: the deploy goes on',
  async ({ match }) => {
    const stage = await startStage()
    try {
      const travelled = await travel(stage, update, [
        { match, before: () => void stage.restart(down), fault: { kind: 'delay', duration: 100 } }
      ])
      expect(violations(update, travelled)).toEqual([])
      expect(travelled.main.outputs.result).toBe(update.result)
      expect(travelled.live).toBe(hashOf(update.module))
    } finally {
      await stage.server.close()
    }
  },
  60_000
)
