import { beforeAll, describe, expect, test } from '@jest/globals'
import { hashModule } from '../../../src/module/hash.ts'
import { runReducer } from '../../../src/smoke/kinds/reducer.ts'
import { runSql } from '../../../src/smoke/kinds/sql.ts'
import { runSubscription } from '../../../src/smoke/kinds/subscription.ts'
import type { CheckPlace } from '../../../src/smoke/place.ts'
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

let place: CheckPlace

beforeAll(async () => {
  const bytes = spokenModule(
    [
      { kind: 'Reducers', value: ['no_entry', 'walk'].map((source_name) => ({ ...reducer, source_name })) },
      {
        kind: 'LifeCycleReducers',
        value: [{ lifecycle_spec: { kind: 'OnConnect', value: unit }, function_name: 'no_entry' }]
      }
    ],
    { reducersFail: 'members only' }
  )
  place = await placeOf(world, await world.create({ bytes, hash: hashModule(bytes), kind: 'wasm' }))
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
