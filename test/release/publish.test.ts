import { describe, expect, test } from '@jest/globals'
import { publishUpdate } from '../../src/release/publish.ts'
import { publishFirst } from '../../src/release/publish-first.ts'
import { type Fault, modelClock, modelServer, moduleOf, them, tokenOf, us } from './model-server.ts'

const old = moduleOf('old')
const next = moduleOf('next')
const foreign = moduleOf('foreign')

describe('publishUpdate', () => {
  const cases: { name: string; faults: Fault[]; outcome: string; publishes: number }[] = [
    { name: 'all is well', faults: [], outcome: 'live', publishes: 1 },
    { name: 'the answer is lost after the update', faults: ['lost-after'], outcome: 'live', publishes: 1 },
    { name: 'the request is lost', faults: ['lost-before'], outcome: 'live', publishes: 2 },
    { name: 'the server is away for a moment', faults: ['not-sent'], outcome: 'live', publishes: 2 },
    { name: 'every answer is lost', faults: ['lost-before', 'lost-after'], outcome: 'live', publishes: 2 }
  ]
  test.each(cases)('$name', async ({ faults, outcome, publishes }) => {
    const model = modelServer({ live: old })
    model.faults.publish.push(...faults)
    const update = { database: 'db', module: next, previous: old, token: tokenOf(old, next) }
    expect((await publishUpdate(model.server, update, modelClock())).kind).toBe(outcome)
    expect(model.requests.filter((request) => request === 'publish')).toHaveLength(publishes)
    expect(model.state.live?.hash).toBe(outcome === 'live' ? next.hash : old.hash)
  })

  test('a server that stays away has not changed anything, and is given up on after a bounded time', async () => {
    const model = modelServer({ live: old })
    model.faults.publish.push(...Array<Fault>(1000).fill('not-sent'))
    const clock = modelClock()
    const update = { database: 'db', module: next, previous: old, token: tokenOf(old, next) }
    expect((await publishUpdate(model.server, update, clock)).kind).toBe('not-published')
    expect(clock.now()).toBeLessThanOrEqual(60_000)
  })

  test('a server that goes away after a lost answer is unknown', async () => {
    const model = modelServer({ live: old })
    model.faults.publish.push('lost-before', ...Array<Fault>(1000).fill('not-sent'))
    model.faults.live.push(() => {}, ...Array<Fault>(1000).fill('unreachable'))
    const update = { database: 'db', module: next, previous: old, token: tokenOf(old, next) }
    expect((await publishUpdate(model.server, update, modelClock())).kind).toBe('unknown')
  })

  test.each<[string, Fault[], string]>([
    ['published', [], 'live'],
    ['with a lost answer', ['lost-after'], 'live'],
    ['never arrived', Array<Fault>(3).fill('lost-before'), 'not-published']
  ])('a module that lets nobody in: %s', async (_name, faults, outcome) => {
    const model = modelServer({ live: old, closed: outcome === 'live' ? next : old })
    model.faults.publish.push(...faults)
    const update = { database: 'db', module: next, previous: old, token: tokenOf(old, next) }
    expect((await publishUpdate(model.server, update, modelClock())).kind).toBe(outcome)
  })

  test('somebody else publishes a module that lets nobody in', async () => {
    const model = modelServer({ live: old, closed: foreign })
    model.faults.publish.push(() => {
      model.state.live = foreign
    })
    const update = { database: 'db', module: next, previous: old, token: tokenOf(old, next) }
    const outcome = await publishUpdate(model.server, update, modelClock())
    expect(outcome).toEqual({ kind: 'overtaken', live: { kind: 'other' }, applied: false })
  })

  test('somebody else publishes over it before it can be confirmed: it was applied', async () => {
    const model = modelServer({ live: old })
    model.faults.live.push(() => {
      model.state.live = foreign
    })
    const update = { database: 'db', module: next, previous: old, token: tokenOf(old, next) }
    expect(await publishUpdate(model.server, update, modelClock())).toMatchObject({ kind: 'overtaken', applied: true })
  })

  test('a publish that lands after its answers were lost is waited for', async () => {
    const model = modelServer({ live: old })
    model.faults.publish.push('lost-before', 'lost-before', 'lost-before')
    model.faults.live.push(...Array<Fault>(5).fill(() => {}), () => {
      model.state.live = next
    })
    const update = { database: 'db', module: next, previous: old, token: tokenOf(old, next) }
    expect((await publishUpdate(model.server, update, modelClock())).kind).toBe('live')
  })

  test('a publish that has not landed for long may land yet', async () => {
    const model = modelServer({ live: old })
    model.faults.publish.push('lost-before', 'lost-before', 'lost-before')
    const update = { database: 'db', module: next, previous: old, token: tokenOf(old, next) }
    const outcome = await publishUpdate(model.server, update, modelClock())
    expect(outcome).toMatchObject({ kind: 'not-published', mayLand: true })
  })

  test('once cancelled, nothing is sent that was not sent before', async () => {
    const model = modelServer({ live: old })
    const cancelled = new AbortController()
    model.faults.publish.push('not-sent')
    const update = { database: 'db', module: next, previous: old, token: tokenOf(old, next) }
    const clock = modelClock()
    const sleep = async () => cancelled.abort()
    const outcome = await publishUpdate(model.server, update, { ...clock, sleep }, cancelled.signal)
    expect(outcome.kind).toBe('not-published')
    expect(model.requests).toEqual(['publish'])
  })

  test('a database that was deleted in between is made anew: no success', async () => {
    const model = modelServer({ live: old })
    const created = { kind: 'published', operation: 'created', identity: model.databaseIdentity } as const
    const server = {
      ...model.server,
      publishUpdate: async () => {
        model.state.live = next
        return created
      }
    }
    const update = { database: 'db', module: next, previous: old, token: tokenOf(old, next) }
    expect((await publishUpdate(server, update, modelClock())).kind).toBe('made-anew')
  })

  test('somebody else publishes first: their module stays, and nothing is sent again', async () => {
    const model = modelServer({ live: old })
    model.faults.publish.push(() => {
      model.state.live = foreign
    })
    const update = { database: 'db', module: next, previous: old, token: tokenOf(old, next) }
    expect(await publishUpdate(model.server, update, modelClock())).toEqual({
      kind: 'overtaken',
      live: { kind: 'other', hash: foreign.hash },
      applied: false
    })
    expect(model.requests.filter((request) => request === 'publish')).toHaveLength(1)
  })

  test('a server that can not be asked afterwards is unknown, after a bounded time', async () => {
    const model = modelServer({ live: old })
    model.faults.publish.push('lost-after')
    model.faults.live.push(...Array<Fault>(1000).fill('unreachable'))
    const clock = modelClock()
    const update = { database: 'db', module: next, previous: old, token: tokenOf(old, next) }
    expect((await publishUpdate(model.server, update, clock)).kind).toBe('unknown')
    expect(clock.now()).toBeLessThanOrEqual(60_000)
  })
})

describe('publishFirst', () => {
  const cases: { name: string; faults: Fault[]; outcome: string; publishes: number }[] = [
    { name: 'all is well', faults: [], outcome: 'created', publishes: 1 },
    { name: 'the answer is lost', faults: ['lost-after'], outcome: 'created', publishes: 1 },
    { name: 'it is dropped half-way', faults: ['dropped-half-way'], outcome: 'created', publishes: 2 },
    { name: 'the request is lost', faults: ['lost-before'], outcome: 'created', publishes: 2 }
  ]
  test.each(cases)('$name', async ({ faults, outcome, publishes }) => {
    const model = modelServer()
    model.faults.publish.push(...faults)
    const creation = { database: 'db', module: next, identity: us }
    expect((await publishFirst(model.server, creation, modelClock())).kind).toBe(outcome)
    expect(model.requests.filter((request) => request === 'publish')).toHaveLength(publishes)
  })

  test('a server that stays away has created nothing', async () => {
    const model = modelServer()
    model.faults.publish.push(...Array<Fault>(1000).fill('not-sent'))
    const creation = { database: 'db', module: next, identity: us }
    expect((await publishFirst(model.server, creation, modelClock())).kind).toBe('not-created')
  })

  test('a claimed name is published to again at once', async () => {
    const model = modelServer()
    model.faults.publish.push('dropped-half-way')
    const clock = modelClock()
    await publishFirst(model.server, { database: 'db', module: next, identity: us }, clock)
    expect(clock.now()).toBe(0)
  })

  test('somebody else takes the name first: a lost race, and their database is left alone', async () => {
    const model = modelServer()
    model.faults.publish.push('lost-before')
    model.faults.resolve.push(() => {
      model.state.live = foreign
      model.state.owner = them
    })
    const outcome = await publishFirst(model.server, { database: 'db', module: next, identity: us }, modelClock())
    expect(outcome.kind).toBe('lost-race')
    expect(model.state.live).toBe(foreign)
  })

  test('somebody of us creates it with another module first: their module stays', async () => {
    const model = modelServer()
    model.faults.publish.push(() => {
      model.state.live = foreign
    })
    const outcome = await publishFirst(model.server, { database: 'db', module: next, identity: us }, modelClock())
    expect(outcome).toMatchObject({ kind: 'lost-race', live: { kind: 'other', hash: foreign.hash } })
    expect(model.state.live).toBe(foreign)
  })

  test('somebody of us creates it after our own answer was lost: their module stays', async () => {
    const model = modelServer()
    model.faults.publish.push('dropped-half-way', () => {
      model.state.live = foreign
    })
    const outcome = await publishFirst(model.server, { database: 'db', module: next, identity: us }, modelClock())
    expect(outcome.kind).toBe('lost-race')
    expect(model.state.live).toBe(foreign)
  })

  test('somebody of us creates it with the same module first', async () => {
    const model = modelServer()
    model.faults.publish.push(() => {
      model.state.live = next
    })
    const outcome = await publishFirst(model.server, { database: 'db', module: next, identity: us }, modelClock())
    expect(outcome.kind).toBe('already-there')
  })

  test('our own first try that went through after all is no race', async () => {
    const model = modelServer()
    model.faults.publish.push('dropped-half-way', () => {
      model.state.live = next
    })
    const outcome = await publishFirst(model.server, { database: 'db', module: next, identity: us }, modelClock())
    expect(outcome.kind).toBe('created')
  })
})
