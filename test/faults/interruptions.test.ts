import { afterAll, expect, test } from '@jest/globals'
import { hashOf, startStage } from '../runner/stage.ts'
import { interrupt, testInterruptions, violations } from './interruptions.ts'
import { type Journey, journeys } from './journeys.ts'

/** `npm run test:faults` cuts all journeys off, at both moments of each request. */
const [update] = journeys as [Journey]
await testInterruptions(update, ['cancel', 'kill'], ['answered'])

const stage = await startStage()
afterAll(() => stage.server.close())

test.concurrent('killed while the publish is on its way: the post step waits for it, and undoes it', async () => {
  const late = { interruption: 'kill', moment: 'before', match: { method: 'PUT' }, delay: 2500 } as const
  const interrupted = await interrupt(stage, update, late)
  expect(violations(update, 'kill', interrupted)).toEqual([])
  expect(interrupted.post.log).toContain('Rolled back')
  expect(interrupted.live).toBe(hashOf('counter'))
})

test.concurrent('cancelled while the server takes its time to publish: the step is over before it is killed', async () => {
  const slow = { interruption: 'cancel', moment: 'before', match: { method: 'PUT' }, delay: 3000 } as const
  const interrupted = await interrupt(stage, update, slow)
  expect(violations(update, 'cancel', interrupted)).toEqual([])
  expect(interrupted.main.outputs.result).toBe('rolled-back')
})

test.concurrent('cancelled while the server hangs: the post step does what is left', async () => {
  const hanging = { interruption: 'cancel', moment: 'before', match: { method: 'PUT' }, delay: 12_000 } as const
  const interrupted = await interrupt(stage, update, hanging)
  expect(violations(update, 'cancel', interrupted).filter((text) => !/had to be ended by/.test(text))).toEqual([])
  expect(interrupted.live).toBe(hashOf('counter'))
})
