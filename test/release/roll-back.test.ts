import { describe, expect, test } from '@jest/globals'
import { rollBack } from '../../src/release/roll-back.ts'
import { type Fault, modelClock, modelServer, moduleOf } from './model-server.ts'

const old = moduleOf('old')
const next = moduleOf('next')
const foreign = moduleOf('foreign')
const away = Array<Fault>(1000).fill('unreachable')

function goBack(live: typeof old, faults: Partial<ReturnType<typeof modelServer>['faults']> = {}) {
  const model = modelServer({ live })
  for (const [kind, list] of Object.entries(faults)) model.faults[kind as keyof typeof faults].push(...list)
  const outcome = rollBack(model.server, { database: 'db', previous: old, next }, modelClock())
  return { model, outcome }
}

describe('rollBack', () => {
  test('the previous module goes live again', async () => {
    const { model, outcome } = goBack(next)
    expect(await outcome).toEqual({ result: 'rolled-back', live: { kind: 'previous' }, reason: '' })
    expect(model.state.live).toBe(old)
  })

  test('a module that lets nobody in is left too', async () => {
    const model = modelServer({ live: next, closed: next })
    const outcome = await rollBack(model.server, { database: 'db', previous: old, next }, modelClock())
    expect(outcome.result).toBe('rolled-back')
    expect(model.state.live).toBe(old)
  })

  test('what is live already is not published again', async () => {
    const { model, outcome } = goBack(old)
    expect((await outcome).result).toBe('rolled-back')
    expect(model.requests).not.toContain('publish')
  })

  test('what somebody else published is left alone', async () => {
    const { model, outcome } = goBack(foreign)
    expect(await outcome).toMatchObject({ result: 'rollback-failed', live: { kind: 'other', hash: foreign.hash } })
    expect(model.state.live).toBe(foreign)
  })

  test('somebody else publishes in the middle of it', async () => {
    const model = modelServer({ live: next })
    model.faults.publish.push(() => {
      model.state.live = foreign
    })
    const request = { database: 'db', previous: old, next }
    const outcome = await rollBack(model.server, request, modelClock())
    expect(outcome).toMatchObject({ result: 'rollback-failed', live: { kind: 'other' } })
    expect(outcome.unanswered).toBeUndefined()
    expect(model.state.live).toBe(foreign)
  })

  test.each([
    ['live', { live: away }, 'unknown'],
    ['plan', { plan: away }, 'rollback-failed'],
    ['live after a lost answer', { publish: ['lost-after' as const], live: [() => {}, ...away] }, 'unknown']
  ])('a server that does not say what it must (%s) can be asked again later', async (_name, faults, result) => {
    const { outcome } = goBack(next, faults)
    expect(await outcome).toMatchObject({ result, unanswered: true })
  })
})
