import { describe, expect, test } from '@jest/globals'
import type { Checkpoint } from '../../src/release/checkpoint.ts'
import { recover } from '../../src/release/recover.ts'
import { type Fault, modelClock, modelServer, moduleOf } from './model-server.ts'

const old = moduleOf('old')
const next = moduleOf('next')
const foreign = moduleOf('foreign')
const load = async (path: string) => (path === 'old.wasm' ? old : next)
const previous = { hash: old.hash, path: 'old.wasm' }

type Case = {
  name: string
  live: typeof old | undefined
  checkpoint: Partial<Checkpoint>
  faults?: Fault[]
  result: string
  after: typeof old | undefined
}

const cases: Case[] = [
  { name: 'cut before it went live', live: old, checkpoint: { previous }, result: 'failed', after: old },
  { name: 'cut after it went live', live: next, checkpoint: { previous }, result: 'rolled-back', after: old },
  {
    name: 'cut while rolling back',
    live: next,
    checkpoint: { previous, phase: 'rolling-back' },
    result: 'rolled-back',
    after: old
  },
  {
    name: 'cut after rolling back',
    live: old,
    checkpoint: { previous, phase: 'rolling-back' },
    result: 'rolled-back',
    after: old
  },
  { name: 'to be kept', live: next, checkpoint: { previous, onFailure: 'keep' }, result: 'unhealthy', after: next },
  {
    name: 'somebody else has published since',
    live: foreign,
    checkpoint: { previous },
    result: 'failed',
    after: foreign
  },
  { name: 'a first release that went live', live: next, checkpoint: {}, result: 'unhealthy', after: next },
  { name: 'a first release that did not', live: undefined, checkpoint: {}, result: 'failed', after: undefined },
  {
    name: 'the server is away',
    live: next,
    checkpoint: { previous },
    faults: Array<Fault>(1000).fill('unreachable'),
    result: 'unknown',
    after: next
  }
]

const base: Checkpoint = {
  phase: 'changing',
  server: 'http://127.0.0.1:3000',
  database: 'db',
  next: { hash: next.hash, path: 'next.wasm' },
  onFailure: 'rollback'
}

describe('recover', () => {
  test.each(cases)('$name: $result', async ({ live, checkpoint, faults, result, after }) => {
    const model = modelServer({ ...(live && { live }) })
    model.faults.live.push(...(faults ?? []))
    const ending = await recover(model.server, { ...base, ...checkpoint }, load, modelClock())
    expect(ending?.result).toBe(result)
    expect(ending?.reason).not.toBe('')
    expect(model.state.live).toBe(after)
  })

  test.each([
    ['nothing landed', old, []],
    ['the server is still away', next, Array<Fault>(1000).fill('unreachable')]
  ])('a deploy that could not know has said so itself: %s', async (_name, live, faults) => {
    const model = modelServer({ live })
    model.faults.live.push(...faults)
    expect(await recover(model.server, { ...base, phase: 'unsettled', previous }, load, modelClock())).toBeUndefined()
  })

  test('what landed late was never found healthy', async () => {
    const model = modelServer({ live: next })
    const ending = await recover(model.server, { ...base, phase: 'unsettled', previous }, load, modelClock())
    expect(ending).toMatchObject({ result: 'rolled-back', isCutOff: true })
    expect(model.state.live).toBe(old)
  })

  test('a publish that lands after its process is gone is found', async () => {
    const model = modelServer({ live: old })
    const landing = () => {
      model.state.live = next
    }
    model.faults.live.push(
      () => {},
      () => {},
      landing
    )
    const ending = await recover(model.server, { ...base, previous }, load, modelClock())
    expect(ending?.result).toBe('rolled-back')
    expect(model.state.live).toBe(old)
  })

  test('a saved module that can not be read leaves the new one, and says so', async () => {
    const model = modelServer({ live: next })
    const load = async () => {
      throw new Error('old.wasm is gone')
    }
    const ending = await recover(model.server, { ...base, previous }, load, modelClock())
    expect(ending).toMatchObject({ result: 'rollback-failed', live: { kind: 'new' } })
    expect(ending?.reason).toContain('old.wasm')
  })
})
