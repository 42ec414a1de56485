import { afterEach, describe, expect, test } from '@jest/globals'
import { systemClock } from '../../src/clock.ts'
import { type Narrator, startJournal } from '../../src/journal.ts'
import { connect } from '../../src/spacetimedb/client.ts'
import { tokenCredential } from '../../src/spacetimedb/credential.ts'
import type { Server } from '../../src/spacetimedb/server.ts'
import { runSteps, stepsReport } from '../../src/steps/run-steps.ts'
import { parseSteps } from '../../src/steps/steps-file.ts'
import { type FaultProxy, type Rule, startProxy } from '../faults/proxy.ts'
import { matrixWasm, prepareWorld, rows } from '../server/world.ts'

const world = prepareWorld()
const proxies: FaultProxy[] = []

afterEach(async () => {
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()))
})

const silent: Narrator = { begin() {}, end() {}, tell() {}, warn() {} }

async function run(
  database: string,
  text: string,
  options: { server?: Server; cancelled?: AbortSignal; told?: string[] } = {}
) {
  const { server = world.owner.client, cancelled = new AbortController().signal, told = [] } = options
  const steps = parseSteps(new TextEncoder().encode(text), 'steps.yml')
  const journal = startJournal(systemClock, { ...silent, tell: (line) => told.push(line) })
  const outcome = await runSteps(server, database, steps, { clock: systemClock, journal, cancelled })
  return { outcome, journal, report: stepsReport(outcome) }
}

/** The owner's client behind a proxy with faults. */
async function faulty(...rules: Rule[]): Promise<{ server: Server; proxy: FaultProxy }> {
  const proxy = await startProxy(world.url)
  proxies.push(proxy)
  proxy.inject(...rules)
  return { proxy, server: connect({ url: proxy.url, credential: tokenCredential(world.owner.token) }) }
}

const counters = (database: string) => rows(world.owner, database, 'SELECT id, value FROM counter')
const count = 'SELECT COUNT(*) AS n FROM counter'

describe('each kind of step', () => {
  test('does what it says, in order, and the journal tells what came of it', async () => {
    const database = await world.create('counter')
    const text = `
steps:
  - call: increment_counter
    args: [7]
  - sql: INSERT INTO counter (id, value) VALUES (8, 5)
  - sql: SELECT * FROM counter
  - wait-for: { sql: SELECT value FROM counter WHERE id = 8, equals: 5 }
  - name: Up to four
    repeat: { call: increment_counter, args: [0], until: { sql: SELECT value FROM counter WHERE id = 0, at-least: 4 } }
  - sql: DELETE FROM counter WHERE id = 8
  - sql: DELETE FROM counter WHERE id = 8
`
    const { outcome, journal, report } = await run(database, text)
    expect(await counters(database)).toEqual(
      expect.arrayContaining([
        [0, 4],
        [7, 1]
      ])
    )
    const took = 'the server took [0-9.]+ ms'
    expect(journal.steps).toEqual(
      [
        ['Step 1 of 7: Call increment_counter', `^called, ${took}$`],
        ['Step 2 of 7: Run INSERT INTO counter (id, value) VALUES (8, 5)', `^1 row inserted, ${took}$`],
        ['Step 3 of 7: Run SELECT * FROM counter', `^3 rows found, ${took}$`],
        ['Step 4 of 7: Wait for SELECT value FROM counter WHERE id = 8', '^found 5 at question 1$'],
        ['Step 5 of 7: Up to four', `^4 calls, then found 4, ${took}$`],
        ['Step 6 of 7: Run DELETE FROM counter WHERE id = 8', `^1 row deleted, ${took}$`],
        ['Step 7 of 7: Run DELETE FROM counter WHERE id = 8', `^no rows changed, ${took}$`]
      ].map(([name, detail]) =>
        expect.objectContaining({ name, detail: expect.stringMatching(detail ?? ''), outcome: 'ok' })
      )
    )
    expect(outcome).toMatchObject({ kind: 'done', ran: journal.steps.map(({ detail }) => ({ detail })) })
    expect(report).toMatch(/^All 7 steps ran\.\n- ran: Call increment_counter \(called/)
  })

  test('runs again without harm where it is written so', async () => {
    const database = await world.create('counter')
    const text = `steps: [{ repeat: { call: increment_counter, args: [0], until: { sql: SELECT value FROM counter WHERE id = 0, at-least: 3 } } }]`
    await run(database, text)
    const { journal } = await run(database, text)
    expect(journal.steps).toMatchObject([{ detail: expect.stringContaining('0 calls, then found 3') }])
  })

  test('takes integers of any size to a reducer exactly, and from a procedure', async () => {
    const database = await world.create(matrixWasm('base'))
    const largest = 2n ** 64n - 1n
    await run(database, 'steps: [{ call: fill, args: [1] }, { call: fill, args: [2] }]')
    const before = await rows(world.owner, database, 'SELECT id FROM item')
    const [first, second] = before.map(([id]) => id)
    const text = `
steps:
  - sql: UPDATE item SET id = ${largest} WHERE id = ${first}
  - sql: UPDATE item SET id = ${largest - 1n} WHERE id = ${second}
  - wait-for: { sql: SELECT id FROM item WHERE id > 9007199254740993, at-least: 18446744073709551614 }
  - call: discard
    args: [${largest}]
  - call: quote
    args: [9007199254740993, 1]
`
    const { journal } = await run(database, text)
    expect(journal.steps.filter(({ outcome }) => outcome === 'failed')).toEqual([])
    const left = await rows(world.owner, database, 'SELECT id FROM item')
    expect(left).toHaveLength(before.length - 1)
    expect(left).toContainEqual([largest - 1n])
    expect(journal.steps.at(-1)?.detail).toMatch(/^called, it returned 9007199254740993, /)
  })

  test.each([
    ['maps', '[{ some: { x_1: 1.5, y_pos: -2 } }, [{ happy: [] }, { other: sad }]]'],
    ['lists', '[[0, [1.5, -2.0]], [[2, sad]]]'],
    ['nothing', '[{ none: [] }, []]']
  ])('takes options, structs and enums as %s', async (_, args) => {
    const database = await world.shared('odd-names')
    const { journal } = await run(database, `steps: [{ call: do_thing_2, args: ${args} }]`)
    expect(journal.steps).toMatchObject([{ outcome: 'ok', detail: expect.stringContaining('called') }])
  })

  test('seeds the module rich', async () => {
    const database = await world.create('rich')
    const text = `
steps:
  - call: seed
    args: [3]
  - wait-for: { sql: SELECT COUNT(*) AS n FROM player, equals: { sql: SELECT COUNT(*) AS n FROM secret } }
  - wait-for: { sql: "SELECT big FROM secret WHERE id = 1", equals: 340282366920938463463374607431768211455 }
  - wait-for: { sql: "SELECT ok FROM secret WHERE id = 1", equals: true }
  - wait-for: { sql: "SELECT took FROM secret WHERE id = 2", equals: 1 }
`
    expect((await run(database, text)).report).toContain('All 5 steps ran.')
  })
})

describe('a step that fails ends the run', () => {
  const panics = 'fatal error'
  test.each<[string, string, string, string]>([
    ['an error of the reducer', 'counter-unhealthy', '{ call: health_check }', 'health_check failed: '],
    ['a panic', 'counter-panics', '{ call: health_check }', panics],
    ['an unknown reducer', 'counter', '{ call: nope }', 'nope was not run (HTTP 404): No such procedure.'],
    ['a private reducer', 'counter', '{ call: init }', 'init was not run (HTTP 400): '],
    [
      'wrong arguments',
      'counter',
      '{ call: increment_counter, args: [a] }',
      'increment_counter was not run (HTTP 400): invalid arguments'
    ],
    ['wrong SQL', 'counter', '{ sql: DELETE FROM nope }', 'The server refuses the statement: '],
    [
      'a wrong question',
      'counter',
      '{ wait-for: { sql: SELECT a FROM nope, equals: 1 } }',
      'The server refuses `SELECT a FROM nope`: '
    ],
    [
      'a text and a number',
      'counter',
      `{ wait-for: { sql: "${count}", equals: "1" } }`,
      '1 is a number and can\'t be compared with "1" by `equals`.'
    ],
    [
      'a wrong batch',
      'counter',
      `{ repeat: { call: nope, until: { sql: "${count}", equals: 7 } } }`,
      'nope was not run (HTTP 404): No such procedure. No call was carried out before.'
    ]
  ])('%s', async (_, module, step, reason) => {
    const database = await world.shared(module)
    const { outcome, journal, report } = await run(
      database,
      `steps: [{ sql: SELECT * FROM counter }, ${step}, { call: clear_counters }]`
    )
    expect(outcome).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining(reason),
      effect: 'none',
      ran: [{ step: { kind: 'sql' } }],
      left: [{ name: 'Call clear_counters' }]
    })
    expect(journal.steps).toMatchObject([
      { outcome: 'ok' },
      { outcome: 'failed', detail: expect.stringContaining(reason) }
    ])
    expect(report).toMatch(/^Step 2 of 3, ".+", failed: /)
    expect(report).toContain('This step changed nothing.')
    expect(report).toContain('\n- ran: Run SELECT * FROM counter')
    expect(report).toMatch(/\n- not run: Call clear_counters$/)
    expect((await counters(database)).length).toBeGreaterThan(0)
  })

  test('somebody else may not write', async () => {
    const database = await world.shared('counter')
    const { outcome } = await run(database, 'steps: [{ sql: DELETE FROM counter }]', { server: world.other.client })
    expect(outcome).toMatchObject({ kind: 'failed', effect: 'none', reason: expect.stringContaining('not authorized') })
  })

  test('a database that is gone fails a wait at once', async () => {
    const { outcome } = await run('nowhere-at-all', `steps: [{ wait-for: { sql: "${count}", equals: 1 } }]`)
    expect(outcome).toMatchObject({ kind: 'failed', reason: expect.stringContaining('nowhere-at-all') })
  })

  test('a batch says how many of its calls were carried out', async () => {
    const database = await world.create('counter')
    const { outcome, report } = await run(
      database,
      `steps: [{ repeat: { call: increment_counter, args: [0], until: { sql: "${count}", equals: 2 } }, max-calls: 3 }]`
    )
    expect(outcome).toMatchObject({
      kind: 'failed',
      effect: 'part',
      reason:
        'It is not done after as many calls as `max-calls` allows, 3. The condition found 1, and not 2. 3 calls were carried out before.'
    })
    expect(report).toContain('A part of this step was done.')
    expect(await counters(database)).toEqual([[0, 3]])
  })
})

describe('time', () => {
  test('ends a wait, which says what it found', async () => {
    const database = await world.shared('counter')
    const { outcome, journal } = await run(
      database,
      `steps: [{ wait-for: { sql: "${count}", at-least: 5 }, timeout: 500ms, every: 50ms }]`
    )
    expect(outcome).toMatchObject({
      kind: 'failed',
      effect: 'none',
      reason: expect.stringMatching(
        /^Its time, 500ms, is over\. The condition found 1, and not at least 5\. It was asked \d+ times\.$/
      )
    })
    expect(journal.steps[0]?.milliseconds).toBeLessThan(5000)
  })

  test('a wait sees what changes meanwhile', async () => {
    const database = await world.create('counter')
    const waiting = run(database, `steps: [{ wait-for: { sql: "${count}", equals: 2 }, timeout: 20s, every: 50ms }]`)
    await new Promise((resolve) => setTimeout(resolve, 200))
    await world.owner.client.call(database, 'increment_counter', [9])
    expect((await waiting).outcome.kind).toBe('done')
  })

  test('ends a batch', async () => {
    const database = await world.create('counter')
    const step = `{ repeat: { call: increment_counter, args: [0], until: { sql: "${count}", equals: 9 } }, timeout: 1s, pause: 100ms }`
    const { outcome } = await run(database, `steps: [${step}]`)
    expect(outcome).toMatchObject({ kind: 'failed', reason: expect.stringContaining('Its time, 1s, is over.') })
    expect(await counters(database)).toEqual([[0, expect.any(Number)]])
  })

  test.each([
    ['a call', '{ call: increment_counter, args: [0], timeout: 300ms }', /\/call\//, 'The call'],
    ['a statement that writes', '{ sql: DELETE FROM counter, timeout: 300ms }', /\/sql/, 'The statement']
  ])('ends %s, of which nobody then knows', async (_, step, path, what) => {
    const database = await world.shared('counter')
    const { server, proxy } = await faulty({ match: { path }, fault: { kind: 'hang' } })
    const { outcome } = await run(database, `steps: [${step}]`, { server })
    expect(outcome).toMatchObject({
      kind: 'failed',
      effect: 'unknown',
      reason: expect.stringContaining(`${what} may or may not have been carried out, and is not repeated.`)
    })
    expect(proxy.requests).toHaveLength(1)
  })

  test('ends a wait whose questions hang', async () => {
    const database = await world.shared('counter')
    const { server } = await faulty({ match: { path: /\/sql/ }, fault: { kind: 'hang' } })
    const { outcome, journal } = await run(
      database,
      `steps: [{ wait-for: { sql: "${count}", equals: 1 }, timeout: 700ms }]`,
      { server }
    )
    expect(outcome).toMatchObject({
      kind: 'failed',
      effect: 'none',
      reason: expect.stringContaining('Its time, 700ms, is over.')
    })
    expect(journal.steps[0]?.milliseconds).toBeLessThan(10_000)
  })
})

describe('a lost answer', () => {
  test('of a call that was carried out: it is not sent again, and nobody claims to know', async () => {
    const database = await world.create('counter')
    const { server, proxy } = await faulty({ match: { path: /\/call\// }, fault: { kind: 'reset-after' } })
    const { outcome, report } = await run(database, 'steps: [{ call: increment_counter, args: [0] }]', { server })
    expect(outcome).toMatchObject({ kind: 'failed', effect: 'unknown' })
    expect(report).toContain('The call may or may not have been carried out, and is not repeated.')
    expect(report).toContain('What this step changed is not known: look at the data.')
    expect(proxy.requests).toHaveLength(1)
    expect(await counters(database)).toEqual([[0, 1]])
  })

  test('of a gateway is one too', async () => {
    const database = await world.shared('counter')
    const { server, proxy } = await faulty({ match: { path: /\/call\// }, fault: { kind: 'answer', status: 502 } })
    const { outcome } = await run(database, 'steps: [{ call: increment_counter, args: [0] }]', { server })
    expect(outcome).toMatchObject({ kind: 'failed', effect: 'unknown' })
    expect(proxy.requests).toHaveLength(1)
  })

  test('in the middle of a batch ends it', async () => {
    const database = await world.create('counter')
    const { server, proxy } = await faulty({ match: { path: /\/call\//, nth: 3 }, fault: { kind: 'reset-after' } })
    const step = `{ repeat: { call: increment_counter, args: [0], until: { sql: SELECT value FROM counter WHERE id = 0, equals: 9 } } }`
    const { outcome } = await run(database, `steps: [${step}]`, { server })
    expect(outcome).toMatchObject({
      effect: 'unknown',
      reason: expect.stringMatching(/not repeated\. 2 calls were carried out before\.$/)
    })
    expect(proxy.requests.filter(({ path }) => path.includes('/call/'))).toHaveLength(3)
  })

  test('of SQL that writes: it is not sent again', async () => {
    const database = await world.create('counter')
    const { server, proxy } = await faulty({ match: { path: /\/sql/ }, fault: { kind: 'reset-after' } })
    const { outcome } = await run(database, 'steps: [{ sql: DELETE FROM counter }]', { server })
    expect(outcome).toMatchObject({ kind: 'failed', effect: 'unknown' })
    expect(proxy.requests).toHaveLength(1)
    expect(await counters(database)).toEqual([])
  })

  test('of a question: it is asked again', async () => {
    const database = await world.shared('counter')
    const { server } = await faulty({ match: { path: /\/sql/, nth: 1 }, fault: { kind: 'reset-after' } })
    expect(
      (await run(database, `steps: [{ wait-for: { sql: "${count}", at-least: 1 } }]`, { server })).outcome.kind
    ).toBe('done')
  })

  test('is none where nobody listens: the call is sent when somebody does', async () => {
    const database = await world.create('counter')
    const { server, proxy } = await faulty()
    proxy.goDown()
    const told: string[] = []
    const running = run(database, 'steps: [{ call: increment_counter, args: [0] }]', { server, told })
    await new Promise((resolve) => setTimeout(resolve, 50))
    await proxy.comeUp()
    expect((await running).outcome.kind).toBe('done')
    expect(told).toEqual(expect.arrayContaining([expect.stringContaining('Trying again in')]))
    expect(await counters(database)).toEqual([[0, 1]])
  })

  test('is none where nobody listens at all: nothing was changed', async () => {
    const { server, proxy } = await faulty()
    proxy.goDown()
    const { outcome } = await run('counter', 'steps: [{ call: a, timeout: 1s }]', { server })
    expect(outcome).toMatchObject({ kind: 'failed', effect: 'none' })
  })

  test('is none where the token can not be had', async () => {
    const failing = { call: () => Promise.reject(new Error('GitHub gave no ID token')) } as unknown as Server
    const { outcome } = await run('counter', 'steps: [{ call: a }]', { server: failing })
    expect(outcome).toMatchObject({ kind: 'failed', effect: 'none', reason: 'GitHub gave no ID token.' })
  })
})

describe('a cancelled job', () => {
  test.each([
    ['a wait', `{ wait-for: { sql: "${count}", equals: 77 } }`, 'none'],
    [
      'a batch that pauses',
      `{ repeat: { call: increment_counter, args: [0], until: { sql: "${count}", equals: 77 } }, pause: 1h }`,
      'part'
    ],
    ['a call that hangs', '{ call: clear_counters }', 'unknown']
  ])('does not wait for %s', async (_, step, effect) => {
    const database = await world.create('counter')
    const { server } = await faulty({ match: { path: /clear_counters/ }, fault: { kind: 'hang' } })
    const job = new AbortController()
    const running = run(database, `steps: [${step}, { call: increment_counter, args: [5] }]`, {
      server,
      cancelled: job.signal
    })
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const cancelledAt = performance.now()
    job.abort()
    const { outcome, report, journal } = await running
    expect(performance.now() - cancelledAt).toBeLessThan(2000)
    expect(outcome).toMatchObject({ kind: 'cancelled', effect, ran: [], left: { length: 1 } })
    expect(report).toMatch(/^Step 1 of 2, ".+", was cancelled: The job was cancelled\./)
    expect(journal.steps).toMatchObject([{ outcome: 'failed' }])
    expect(await counters(database)).not.toContainEqual([5, 1])
  })

  test('begins nothing', async () => {
    const { server, proxy } = await faulty()
    for (const step of ['{ call: a }', '{ sql: DELETE FROM a }', `{ wait-for: { sql: "${count}", equals: 1 } }`]) {
      const { outcome } = await run('counter', `steps: [${step}]`, { server, cancelled: AbortSignal.abort() })
      expect(outcome).toMatchObject({ kind: 'cancelled', effect: 'none' })
    }
    expect(proxy.requests).toEqual([])
  })
})
