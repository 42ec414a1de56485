import { beforeAll, describe, expect, test } from '@jest/globals'
import { hashModule } from '../../../src/module/hash.ts'
import { defaultChecks } from '../../../src/smoke/default-checks.ts'
import { runReducer } from '../../../src/smoke/kinds/reducer.ts'
import { runServedHash } from '../../../src/smoke/kinds/served-hash.ts'
import { runSql } from '../../../src/smoke/kinds/sql.ts'
import { runSubscription } from '../../../src/smoke/kinds/subscription.ts'
import type { CheckPlace } from '../../../src/smoke/place.ts'
import { runChecks } from '../../../src/smoke/run-checks.ts'
import { spokenModule } from '../../embedded/spoken-module.ts'
import { prepareWorld } from '../../server/world.ts'
import { checkOf, placeOf, tryOnce } from './trial.ts'

const world = prepareWorld()

const unit = {}
const reducer = {
  params: { elements: [] },
  visibility: { kind: 'ClientCallable', value: unit },
  ok_return_type: { kind: 'product', elements: [] },
  err_return_type: { kind: 'string' }
} as const

async function closedPlace(admits?: string): Promise<CheckPlace> {
  const bytes = spokenModule(
    [
      { kind: 'Reducers', value: ['no_entry', 'walk'].map((source_name) => ({ ...reducer, source_name })) },
      {
        kind: 'LifeCycleReducers',
        value: [{ lifecycle_spec: { kind: 'OnConnect', value: unit }, function_name: 'no_entry' }]
      }
    ],
    { reducersFail: 'members only', ...(admits !== undefined && { admits }) }
  )
  const hash = hashModule(bytes)
  return placeOf(world, await world.create({ bytes, hash, kind: 'wasm' }), { expectedHash: hash })
}

let place: CheckPlace

beforeAll(async () => {
  place = await closedPlace()
})

describe('a module whose client_connected lets nobody in', () => {
  test('a subscription has failed', async () => {
    const check = checkOf('subscription', { subscription: 'SELECT * FROM st_client' })
    expect(await tryOnce(runSubscription, check, place)).toEqual({
      kind: 'failed',
      expected: 'an answer',
      actual: expect.stringContaining("the module's `client_connected` refused or failed")
    })
  })

  test('a reducer is not run', async () => {
    expect(await tryOnce(runReducer, checkOf('reducer', { reducer: 'walk' }), place)).toEqual({
      kind: 'not-run',
      reason: '"walk" was not run: members only. The module\'s `client_connected` decides who is let in.',
      final: true
    })
  })

  test('a statement is not run', async () => {
    expect(await tryOnce(runSql, checkOf('sql', { sql: 'SELECT * FROM st_client' }), place)).toEqual({
      kind: 'not-run',
      reason: expect.stringMatching(/the module's `client_connected` refused .*"members only"/),
      final: true
    })
  })
})

describe('a module whose client_connected lets its owner in', () => {
  test('is found to be served, and healthy, by the checks that everybody gets', async () => {
    const admitting = await closedPlace(world.owner.identity)
    const { checks } = defaultChecks(admitting.schema, admitting.expectedHash)
    const report = await runChecks({ checks, deadline: 60_000 }, admitting)
    expect(report.reports.map(({ check, outcome }) => [check.kind, outcome.kind])).toEqual([
      ['ping', 'passed'],
      ['served-hash', 'passed'],
      ['log', 'passed']
    ])
    expect(await tryOnce(runReducer, checkOf('reducer', { reducer: 'walk' }), admitting)).toMatchObject({
      kind: 'passed'
    })
    const stranger = checkOf('served-hash', { 'served-hash': true, as: 'anonymous' })
    expect(await tryOnce(runServedHash, stranger, admitting)).toMatchObject({ kind: 'not-run' })
  })
})
