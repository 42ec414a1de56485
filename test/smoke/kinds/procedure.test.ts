import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { AlgebraicType } from '../../../src/module/algebraic-type.ts'
import type { Procedure } from '../../../src/module/schema.ts'
import { runProcedure } from '../../../src/smoke/kinds/procedure.ts'
import { type FaultProxy, startProxy } from '../../faults/proxy.ts'
import { matrixWasm, prepareWorld } from '../../server/world.ts'
import { checkOf, placeOf, tryOnce } from './trial.ts'

const world = prepareWorld()

type Written = Readonly<Record<string, unknown>>

/** The module's only procedure is `quote`; what other ones would answer is put in on the way. */
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
  answer('players', 200, '[[18446744073709551615, "a"], [0, 7]]')
  answer('refused', 200, '[1, "out of stock"]')
  answer('taken', 200, '[0, 5]')
  answer('coded', 200, '[1, [4, [0, []]]]')
  answer('broken', 500, 'The module instance encountered a fatal error: wasm trap: unreachable')
  answer('away', 500, 'module host is not running')
})

afterAll(() => proxy.close())

let database: Promise<string> | undefined

async function procedure(written: Written) {
  database ??= world.create(matrixWasm('base'))
  const place = await placeOf(world, await database, { url: proxy.url })
  const schema = { ...place.schema, procedures: [...place.schema.procedures, ...others] }
  return tryOnce(runProcedure, checkOf('procedure', written), { ...place, schema })
}

const unit = { kind: 'product', elements: [] } as const
const resultOf = (error: AlgebraicType): AlgebraicType => ({
  kind: 'sum',
  variants: [
    { name: 'ok', type: { kind: 'u8' } },
    { name: 'err', type: error }
  ]
})
const coded: AlgebraicType = {
  kind: 'product',
  elements: [
    { name: 'code', type: { kind: 'u8' } },
    { name: 'why', type: { kind: 'sum', variants: [{ name: 'sold', type: unit }] } }
  ]
}
const others: readonly Procedure[] = [
  ['refused', resultOf({ kind: 'string' })] as const,
  ['taken', resultOf({ kind: 'string' })] as const,
  ['coded', resultOf(coded)] as const
].map(([name, returnType]) => ({ name, parameters: [], returnType, visibility: 'client' }))

const quote = { procedure: 'quote', args: [3, 4] }
const most = 18446744073709551615n

describe('procedure', () => {
  test.each<[string, Written, detail: RegExp]>([
    ['any value', quote, /^returned 12\b/],
    ['that value', { ...quote, returns: 12 }, /^returned 12\b/],
    ['a large one', { ...quote, args: [most, 2], returns: most }, /^returned 18446744073709551615\b/],
    [
      'a list',
      {
        procedure: 'players',
        returns: [
          [most, 'a'],
          [0, 7]
        ]
      },
      /^returned \[\[18446744073709551615, "a"\], \[0, 7\]\]/
    ],
    ['an Ok', { procedure: 'taken' }, /^returned \[0, 5\]/],
    [
      'an Err that is wanted',
      { procedure: 'refused', returns: [1, 'out of stock'] },
      /^returned \[1, "out of stock"\]/
    ],
    ['in time', { procedure: 'players', 'max-duration': '3ms' }, /, 2.5 ms on the server$/]
  ])('passes: %s', async (_, written, detail) => {
    expect(await procedure(written)).toEqual({ kind: 'passed', detail: expect.stringMatching(detail) })
  })

  test.each<[Written, object]>([
    [
      { ...quote, returns: 13 },
      { expected: '13', actual: '12' }
    ],
    [
      { ...quote, returns: null },
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
      { procedure: 'players', 'max-duration': '2ms' },
      { expected: 'at most 2 ms on the server', actual: '2.5 ms' }
    ],
    [{ procedure: 'refused' }, { expected: 'a value', actual: 'error: out of stock', final: true }],
    [
      { procedure: 'refused', returns: [0, 5] },
      { expected: '[0] = 0', actual: '[0] = 1' }
    ],
    [{ procedure: 'coded' }, { expected: 'a value', actual: 'error: (code = 4, why = (sold = ()))', final: true }],
    [{ procedure: 'broken' }, { expected: 'a value', actual: expect.stringContaining('wasm trap'), final: true }],
    [
      { procedure: 'broken', returns: 12 },
      { expected: '12', actual: expect.stringContaining('wasm trap'), final: true }
    ],
    [{ procedure: 'away' }, { expected: 'an answer', actual: expect.stringContaining('failed (500)') }]
  ])('fails: %j', async (written, finding) => {
    expect(await procedure(written)).toEqual({ kind: 'failed', ...finding })
  })

  test.each<[Written, reason: string]>([
    [{ procedure: 'quot' }, ' Did you mean `quote`?'],
    [{ procedure: 'quote', args: [3] }, 'It takes 2: price, count.']
  ])('can not be called: %j', async (written, reason) => {
    expect(await procedure(written)).toEqual({ kind: 'not-run', reason: expect.stringContaining(reason), final: true })
  })
})
