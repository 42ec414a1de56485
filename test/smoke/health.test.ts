import { describe, expect, test } from '@jest/globals'
import { ConfigurationError } from '../../src/errors.ts'
import type { Schema } from '../../src/module/schema.ts'
import { checkHealth, chooseHealthCheck, healthChoice } from '../../src/smoke/health.ts'
import { type CallAnswer, type FailureKind, type Server, ServerFailure } from '../../src/spacetimedb/server.ts'
import { modelClock } from '../release/model-server.ts'

const parameter = { type: { kind: 'u32' } } as const
const schema: Schema = {
  typespace: [
    {
      kind: 'sum',
      variants: [
        { name: 'ok', type: { kind: 'u8' } },
        { name: 'err', type: { kind: 'string' } }
      ]
    }
  ],
  types: [],
  tables: [],
  reducers: [
    { name: 'health_check', parameters: [], visibility: 'client' },
    { name: 'init', parameters: [], visibility: 'private' },
    { name: 'add', parameters: [parameter], visibility: 'client' }
  ],
  procedures: [
    { name: 'probe', parameters: [], returnType: { kind: 'bool' }, visibility: 'client' },
    { name: 'attempt', parameters: [], returnType: { kind: 'ref', ref: 0 }, visibility: 'client' }
  ],
  views: [],
  httpRoutes: [],
  lifecycle: [{ event: 'init', reducer: 'init' }],
  rowLevelSecurity: [],
  unknownParts: []
}

describe('chooseHealthCheck', () => {
  test.each([
    ['auto', 'health_check'],
    ['none', undefined],
    ['health_check', 'health_check'],
    ['probe', 'probe']
  ])('%s', (input, chosen) => {
    expect(chooseHealthCheck(healthChoice(input), schema)).toBe(chosen)
  })

  test('auto finds nothing in a module without one, or with one that takes parameters', () => {
    expect(chooseHealthCheck({ kind: 'auto' }, { ...schema, reducers: [] })).toBeUndefined()
    const reducers = [{ name: 'health_check', parameters: [parameter], visibility: 'client' }] as const
    expect(chooseHealthCheck({ kind: 'auto' }, { ...schema, reducers })).toBeUndefined()
  })

  test.each([
    ['healthcheck', '"healthcheck" is no reducer or procedure'],
    ['add', 'takes parameters'],
    ['init', 'run by the server itself']
  ])('%s is refused and the usable ones are named', (input, message) => {
    const choose = () => chooseHealthCheck(healthChoice(input), schema)
    expect(choose).toThrow(ConfigurationError)
    expect(choose).toThrow(message)
    expect(choose).toThrow('health_check, probe')
  })
})

describe('checkHealth', () => {
  const healthy: CallAnswer = { kind: 'ok', value: undefined }

  function check(answers: (CallAnswer | FailureKind)[], cancelled = new AbortController(), name = 'health_check') {
    const calls: number[] = []
    const server: Pick<Server, 'call'> = {
      call: async (_database, _reducer, _args, timeout = 0) => {
        calls.push(timeout)
        const answer = answers.shift() ?? 'unreachable'
        if (typeof answer === 'string') throw new ServerFailure(answer, `it is ${answer}`)
        return answer
      }
    }
    const options = { schema, timeout: 10_000, clock: modelClock(), cancelled: cancelled.signal }
    return { calls, report: checkHealth(server, 'db', name, options) }
  }

  test('an answer is final', async () => {
    const { calls, report } = check([healthy])
    expect(await report).toEqual({ kind: 'healthy' })
    expect(calls).toEqual([10_000])
  })

  test.each<CallAnswer>([
    { kind: 'failed', reason: 'the table is empty' },
    { kind: 'rejected', status: 404, reason: 'the table is empty' }
  ])('$kind is final and tells why', async (answer) => {
    const { calls, report } = check([answer, healthy])
    expect(await report).toMatchObject({ kind: 'unhealthy', reason: expect.stringContaining('the table is empty') })
    expect(calls).toHaveLength(1)
  })

  test.each<FailureKind>(['unreachable', 'interrupted', 'server-error', 'rate-limited', 'unauthorized'])(
    'a call that was %s is tried again, with what is left of the time',
    async (failure) => {
      const { calls, report } = check([failure, failure, healthy])
      expect(await report).toEqual({ kind: 'healthy' })
      expect(calls).toEqual([10_000, 9_750, 9_250])
    }
  )

  test('auto takes no function that the server runs by itself', () => {
    const lifecycle = [{ event: 'client_connected', reducer: 'health_check' }] as const
    expect(chooseHealthCheck({ kind: 'auto' }, { ...schema, lifecycle })).toBeUndefined()
  })

  test('a token that can not be had for a moment is tried again', async () => {
    let calls = 0
    const server: Pick<Server, 'call'> = {
      call: async () => {
        calls += 1
        if (calls === 1) throw new Error('no ID token')
        return healthy
      }
    }
    const options = { schema, timeout: 10_000, clock: modelClock(), cancelled: new AbortController().signal }
    expect(await checkHealth(server, 'db', 'health_check', options)).toEqual({ kind: 'healthy' })
  })

  test('a procedure that returns an error is unhealthy, and one that returns a value is not', async () => {
    const refused = check([{ kind: 'ok', value: [1, 'no world'] }], undefined, 'attempt')
    expect(await refused.report).toEqual({ kind: 'unhealthy', reason: 'attempt failed: no world' })
    expect(await check([{ kind: 'ok', value: [0, 1] }], undefined, 'attempt').report).toEqual({ kind: 'healthy' })
    expect(await check([{ kind: 'ok', value: [1, 'x'] }]).report).toEqual({ kind: 'healthy' })
  })

  test('a refused caller is final', async () => {
    const { calls, report } = check(['forbidden', healthy])
    expect((await report).kind).toBe('unhealthy')
    expect(calls).toHaveLength(1)
  })

  test('a server that stays away is unhealthy when the time is over', async () => {
    const { report } = check([])
    expect(await report).toMatchObject({ reason: expect.stringMatching(/10 s .*health-timeout.*it is unreachable/) })
  })

  test('a cancelled job does not wait for the answer', async () => {
    const cancelled = new AbortController()
    const server: Pick<Server, 'call'> = { call: () => new Promise(() => {}) }
    const options = { schema, timeout: 10_000, clock: modelClock(), cancelled: cancelled.signal }
    const report = checkHealth(server, 'db', 'health_check', options)
    cancelled.abort()
    expect(await report).toMatchObject({ kind: 'cancelled' })
  })
})
