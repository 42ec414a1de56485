import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { runProcedure } from '../../../src/smoke/kinds/procedure.ts'
import { type FaultProxy, startProxy } from '../../faults/proxy.ts'
import { prepareWorld } from '../../server/world.ts'
import { checkOf, placeOf, tryOnce } from './trial.ts'

const world = prepareWorld()

type Written = Readonly<Record<string, unknown>>

/** No module here has procedures: their answers are put in on the way. */
let proxy: FaultProxy

beforeAll(async () => {
  proxy = await startProxy(world.url)
  const answer = (name: string, status: number, body: string) =>
    proxy.inject({
      match: { path: new RegExp(`/call/${name}$`) },
      fault: {
        kind: 'answer',
        status,
        body,
        headers: { 'spacetime-identity': 'x', 'spacetime-execution-duration-micros': '2500' }
      }
    })
  answer('quote', 200, '12')
  answer('players', 200, '[[18446744073709551615, "a"], [0, 7]]')
  answer('broken', 530, 'no such quote')
})

afterAll(() => proxy.close())

async function procedure(written: Written) {
  const place = await placeOf(world, await world.shared('counter'), { url: proxy.url })
  return tryOnce(runProcedure, checkOf('procedure', written), place)
}

describe('procedure', () => {
  test.each<[Written, detail: string]>([
    [{ procedure: 'quote' }, 'returned 12, 2.5 ms on the server'],
    [{ procedure: 'quote', returns: 12, 'max-duration': '3ms' }, 'returned 12, 2.5 ms on the server'],
    [
      {
        procedure: 'players',
        returns: [
          [18446744073709551615n, 'a'],
          [0, 7]
        ]
      },
      'returned [[18446744073709551615, "a"], [0, 7]], 2.5 ms on the server'
    ]
  ])('passes: %j', async (written, detail) => {
    expect(await procedure(written)).toEqual({ kind: 'passed', detail })
  })

  test.each<[Written, object]>([
    [
      { procedure: 'quote', returns: 13 },
      { expected: '13', actual: '12' }
    ],
    [
      { procedure: 'quote', returns: null },
      { expected: 'null', actual: '12' }
    ],
    [
      {
        procedure: 'players',
        returns: [
          [1, 'a'],
          [0, 7]
        ]
      },
      { expected: '[0][0] = 1', actual: '[0][0] = 18446744073709551615' }
    ],
    [
      { procedure: 'quote', 'max-duration': '2ms' },
      { expected: 'at most 2 ms on the server', actual: '2.5 ms' }
    ],
    [{ procedure: 'broken' }, { expected: 'a value', actual: 'error: no such quote', final: true }],
    [
      { procedure: 'broken', returns: 12 },
      { expected: '12', actual: 'error: no such quote', final: true }
    ]
  ])('fails: %j', async (written, finding) => {
    expect(await procedure(written)).toEqual({ kind: 'failed', ...finding })
  })

  test('one that the module does not have', async () => {
    expect(await procedure({ procedure: 'increment_countr', args: [1] })).toEqual({
      kind: 'not-run',
      reason: expect.stringContaining('No such procedure. Did you mean "increment_counter"?'),
      final: true
    })
  })
})
