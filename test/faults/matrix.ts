import { afterAll, expect, jest, test } from '@jest/globals'
import { startStage } from '../runner/stage.ts'
import { type Journey, placesOf, travel, violations } from './journeys.ts'
import { badGateway, type Fault } from './proxy.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(90_000)

/** Faults that pass: the same request goes well when it is sent again. By name. */
export const faults = {
  'reset before the server got it': { kind: 'reset-before' },
  'reset after the server got it': { kind: 'reset-after' },
  'status 500': { kind: 'answer', status: 500, body: 'Internal Server Error' },
  'status 500 after the server got it': { kind: 'answer', status: 500, body: 'Internal Server Error', forward: true },
  'status 503': { kind: 'answer', status: 503, body: 'no healthy upstream' },
  'status 503 after the server got it': { kind: 'answer', status: 503, body: 'upstream timed out', forward: true },
  'status 429': { kind: 'answer', status: 429, headers: { 'retry-after': '1' } },
  'an error page': badGateway,
  'a slow answer': { kind: 'trickle', duration: 600 },
  'half of the answer, as if it were whole': { kind: 'truncate' },
  'half of the answer, then a reset': { kind: 'cut' }
} satisfies Record<string, Fault>

export type FaultName = keyof typeof faults

/**
 * Makes tests of a journey: without faults, and with each of the faults at each of the requests that it makes then.
 * It must end as it does without, except when something was asked before anything was changed and the answer looks
 * whole but makes no sense: then nothing may be changed. The tests of a file run several at a time, as mostly they wait.
 */
export async function testFaults(journey: Journey, names: readonly FaultName[]): Promise<void> {
  const stage = await startStage()
  afterAll(() => stage.server.close())
  const clean = await travel(stage, journey)

  test(`${journey.name}: without faults`, () => {
    expect(violations(journey, clean)).toEqual([])
    expect(clean.main.outputs.result).toBe(journey.result)
  })

  const cases = placesOf(clean.requests).flatMap((place) => {
    const isAsked = place.index < clean.requests.findIndex(({ method }) => method === 'PUT')
    return names.map((name) => ({ ...place, name, isAsked, title: `${name} at ${place.title}` }))
  })
  test.concurrent.each(cases)(`${journey.name}: $title`, async ({ name, isAsked, match }) => {
    const travelled = await travel(stage, journey, [{ match, fault: faults[name] }])
    expect(violations(journey, travelled)).toEqual([])
    expect(travelled.requests.map(({ fault }) => fault)).toContain(faults[name].kind)
    expect(travelled.main.outputs.result).toBe(
      isAsked && name === 'half of the answer, as if it were whole' ? 'failed' : journey.result
    )
  })
}
