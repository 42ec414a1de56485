import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { byHand } from '../../src/smoke/by-hand.ts'
import type { Check } from '../../src/smoke/check.ts'
import { hasPassed } from '../../src/smoke/check-report.ts'
import { parseChecks } from '../../src/smoke/checks-file.ts'
import { defaultChecks } from '../../src/smoke/default-checks.ts'
import { findLogMark } from '../../src/smoke/log-mark.ts'
import type { CheckPlace, LogMark } from '../../src/smoke/place.ts'
import { runChecks } from '../../src/smoke/run-checks.ts'
import { soak } from '../../src/smoke/soak.ts'
import type { Server } from '../../src/spacetimedb/server.ts'
import { prepareWorld, update, wasm } from '../server/world.ts'
import { placeOf } from './kinds/trial.ts'
import { checksFrom } from './model-place.ts'

const run = promisify(execFile)
const world = prepareWorld()
const folder = mkdtempSync(join(tmpdir(), 'by-hand-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function linesAfter(server: Server, database: string, { after }: LogMark): Promise<string[]> {
  const lines: string[] = []
  for await (const { timestamp, message } of server.logs(database, {})) if (timestamp > after) lines.push(message)
  return lines
}

describe('where the publish is in the log', () => {
  test('the first one takes in what the module logged in it', async () => {
    const { client } = world.owner
    const database = await world.create('counter')
    await client.call(database, 'health_check', [])
    const mark = await findLogMark(client, database)
    expect(mark.what).toBe('publish')
    const lines = await linesAfter(client, database, mark)
    expect(lines).toContain('counter v1 initialised')
    expect(lines).toContain('healthy')
  })

  test('an update takes in nothing of before', async () => {
    const { client } = world.owner
    const database = await world.create('counter')
    await client.call(database, 'health_check', [])
    await update(world.owner, database, wasm('counter-additive'))
    const mark = await findLogMark(client, database)
    const lines = await linesAfter(client, database, mark)
    expect(lines[0]).toMatch(/^Updated program to /)
    expect(lines.at(-1)).toBe('Database updated')
  })

  test('from the start on, only what comes then counts', async () => {
    const { client } = world.owner
    const database = await world.create('counter')
    const mark = await findLogMark(client, database, { from: 'start' })
    expect(mark.what).toBe('start')
    expect(await linesAfter(client, database, mark)).toEqual([])
    await client.call(database, 'health_check', [])
    expect(await linesAfter(client, database, mark)).toEqual(['healthy'])
  })

  test('somebody else may not know', async () => {
    const database = await world.shared('counter')
    expect(await findLogMark(world.other.client, database)).toEqual({ after: 0n, what: 'start' })
  })
})

describe('by hand', () => {
  const sh = async (command: string, env: NodeJS.ProcessEnv = {}) => {
    const { stdout } = await run('sh', ['-c', command], { env: { PATH: process.env.PATH, ...env } })
    return stdout
  }
  const only = (written: object) => checksFrom([written])[0] as Check

  test.each<[object, RegExp]>([
    [{ ping: true }, /^\s*HTTP 200\n$/],
    [{ 'served-hash': true }, /^.*"?0x[0-9a-f]+.*\n$/],
    [{ reducer: 'increment_counter', args: [7] }, /^\s*HTTP 200\n$/],
    [{ reducer: 'increment_counter', args: [7], as: 'anonymous' }, /^\s*HTTP 200\n$/],
    [
      { reducer: 'increment_counter', args: ["it's"] },
      /invalid arguments for reducer increment_counter[\s\S]*\nHTTP 400\n$/
    ],
    [{ reducer: 'no such "thing"' }, /HTTP 404\n$/],
    [{ sql: 'SELECT id, value FROM counter WHERE id = 0' }, /"rows":\[\[0,0\]\][\s\S]*\nHTTP 200\n$/],
    [{ sql: 'INSERT INTO counter (id, value) VALUES (90, 5)' }, /HTTP 200\n$/],
    [{ sql: 'INSERT INTO counter (id, value) VALUES (91, 5)', as: 'anonymous' }, /HTTP (401|403|400)\n$/],
    [{ log: { below: 'error' } }, /counter v1 initialised[\s\S]*\nHTTP 200\n$/],
    [{ metrics: { p99: '1s' } }, /spacetime_num_txns_total/],
    [{ load: 'increment_counter', args: [8], callers: 3 }, /^(\s*HTTP 200\n){3}$/]
  ])('%j gives what the check would see', async (written, output) => {
    const database = await world.shared('counter')
    const expectedHash = (await world.owner.client.live(database)).hash
    const place = await placeOf(world, database, { expectedHash })
    const command = byHand(only(written), place) ?? ''
    expect(command).not.toContain(world.owner.token)
    const printed = await sh(command, { SPACETIMEDB_TOKEN: world.owner.token })
    expect(printed).toMatch(output)
    expect(printed).not.toMatch(/eyJ/)
  })

  test('another hash than the served one is not found', async () => {
    const place = await placeOf(world, await world.shared('counter'))
    const command = byHand(only({ 'served-hash': 'ab'.repeat(32) }), place) ?? ''
    await expect(sh(command)).rejects.toMatchObject({ code: 1 })
  })

  test.each<[object, RegExp]>([
    [
      { subscription: "SELECT * FROM a WHERE b = 'c'" },
      /^spacetime subscribe --no-config --anonymous --server 'http:.*' --print-initial-update --num-updates 0 --timeout 10 'game' 'SELECT \* FROM a WHERE b = '\\''c'\\'''$/
    ],
    [
      { subscription: ['SELECT * FROM a', 'SELECT * FROM b'], as: 'owner', call: { reducer: 'add', row: { id: 1 } } },
      /^\(sleep 2; curl .*\/call\/add'\) & spacetime subscribe --no-config --server .* --num-updates 1 .* 'SELECT \* FROM a' 'SELECT \* FROM b'; wait$/
    ]
  ])('%j is asked by the CLI', (written, command) => {
    const server = { url: 'http://127.0.0.1:3000' }
    expect(byHand(only(written), { server, database: 'game', expectedHash: undefined })).toMatch(command)
  })

  test('many connections are more than one command makes, and a zero character is in none', () => {
    const place = { server: { url: 'http://127.0.0.1:3000' }, database: 'game', expectedHash: undefined }
    expect(byHand(only({ connections: 5 }), place)).toBeUndefined()
    expect(byHand(only({ sql: 'SELECT \0' }), place)).toBeUndefined()
  })

  test.each([
    ['authorization', 'Bearer abc', 'AUTHORIZATION'],
    ['Cookie', 'session=1', 'COOKIE'],
    ['x-api-key', 'k', 'X_API_KEY'],
    ['stripe-signature', 'v1=0', 'STRIPE_SIGNATURE'],
    ['2nd_token', 't', '_2ND_TOKEN']
  ])('the header %s is asked for, not shown', async (name, value, variable) => {
    const place = { server: { url: 'http://127.0.0.1:1' }, database: 'game', expectedHash: undefined }
    const command = byHand(only({ 'http-route': '/a', headers: { [name]: value, accept: 'text/plain' } }), place) ?? ''
    expect(command).toContain(`-H '${name}: '"\${${variable}:?}"`)
    expect(command).toContain("-H 'accept: text/plain'")
    expect(command).not.toContain(value === 'k' || value === 't' ? `: ${value}'` : value)
    await expect(sh(command)).rejects.toMatchObject({ stderr: expect.stringContaining(variable) })
  })

  test('arrives as it was written, whatever is in it', async () => {
    writeFileSync(join(folder, 'curl'), '#!/bin/sh\nfor each in "$@"; do printf \'%s\\0\' "$each"; done\n', {
      mode: 0o755
    })
    const place = { server: { url: 'http://127.0.0.1:3000' }, database: 'game', expectedHash: undefined }
    const text = fc.string({
      unit: fc.constantFrom("'", '"', '\\', '$', '`', '\n', ' ', '!', '*', 'é', 'a', '-', '%', '{')
    })
    await fc.assert(
      fc.asyncProperty(text, text, text, async (header, body, path) => {
        const route = `/${path.replace(/\s/g, '')}`
        const value = `b${header.replaceAll('\n', '')}`
        const check = only({ 'http-route': route, method: 'POST', headers: { 'x-a': value }, body })
        const given = (await sh(byHand(check, place) ?? '', { PATH: `${folder}:${process.env.PATH}` })).split('\0')
        expect(given).toContain(`x-a: ${value}`)
        expect(given[given.indexOf('--data-raw') + 1]).toBe(body)
        expect(given.at(-2)).toBe(`http://127.0.0.1:3000/v1/database/game/route${route}`)
      }),
      { numRuns: 25 }
    )
  })
})

describe('default checks', () => {
  async function check(module: string) {
    const database = await world.create(module)
    const { client } = world.owner
    const { hash } = await client.live(database)
    const place = await placeOf(world, database, { expectedHash: hash, since: await findLogMark(client, database) })
    return runChecks(defaultChecks(place.schema, hash), place)
  }

  test('pass for a module that is well', async () => {
    const report = await check('counter')
    expect(hasPassed(report)).toBe(true)
    expect(report.reports.map(({ check: { kind } }) => kind)).toEqual(['ping', 'served-hash', 'reducer', 'log'])
  })

  test('fail for one that is not, with what its log says', async () => {
    const report = await check('counter-unhealthy')
    expect(hasPassed(report)).toBe(false)
    const [health] = report.reports.filter(({ outcome }) => outcome.kind === 'failed')
    expect(health?.check.name).toBe('Call health_check')
    expect(health?.logLines.length).toBeGreaterThan(0)
    expect(health?.byHand).toContain('/call/health_check')
  }, 30_000)

  test('find a panic', async () => {
    const report = await check('counter-panics')
    const failed = report.reports.filter(({ outcome }) => outcome.kind === 'failed')
    expect(failed.map(({ check: { name } }) => name)).toEqual(['Call health_check', 'No panic in the log'])
  }, 30_000)
})

test('a file with checks of many kinds is run as it says', async () => {
  const database = await world.create('counter')
  const place = await placeOf(world, database, { since: await findLogMark(world.owner.client, database) })
  const checks = parseChecks(
    new TextEncoder().encode(`
deadline: 1m
checks:
  - name: watch
    metrics: { reducer: increment_counter, error-rate: 0, window: 1s }
  - log: { with: counter v1 initialised, below: panic }
  - name: load
    load: increment_counter
    args: [7]
    callers: 2
    rate: 50
    for: 500ms
  - name: crowd
    connections: 3
    stay: 100ms
  - name: arrival
    subscription: SELECT * FROM counter
    some: { id: 0, value: 0 }
    call: { reducer: increment_counter, args: [5], row: { id: 5, value: 1 }, within: 5s }
    needs: rows
  - name: rows
    sql: SELECT * FROM counter
    count: { at-least: 1 }
  - name: wrong
    sql: SELECT value FROM counter WHERE id = 0
    value: 5
  - name: after
    ping: true
    needs: wrong
`),
    'smoke.yml'
  )
  const order: string[] = []
  const { reports } = await runChecks(checks, place, { onReport: ({ check }) => order.push(check.name) })
  const outcomes = Object.fromEntries(reports.map(({ check, outcome }) => [check.name, outcome]))
  expect(outcomes).toMatchObject({
    watch: { kind: 'passed' },
    Log: { kind: 'passed' },
    load: { kind: 'passed' },
    crowd: { kind: 'passed' },
    arrival: { kind: 'passed' },
    rows: { kind: 'passed' },
    wrong: { kind: 'failed' },
    after: { kind: 'skipped', reason: 'It needs "wrong", which did not pass.' }
  })
  expect(order.slice(-4)).toEqual(['load', 'crowd', 'watch', 'Log'])
  expect(reports.find(({ check }) => check.name === 'load')?.load?.calls).toBeGreaterThan(0)
}, 60_000)

describe('a soak', () => {
  const nothing = { checks: [], deadline: 1 }

  async function watched(module: string): Promise<CheckPlace> {
    return placeOf(world, await world.create(module))
  }

  test('is kept to its end where nothing happens', async () => {
    const looks: number[] = []
    const report = await soak(nothing, await watched('counter'), 3000, { onLook: (look) => looks.push(look) })
    expect(report).toMatchObject({ kind: 'passed', looks: 3 })
    expect(looks).toEqual([1, 2, 3])
  }, 20_000)

  test('ends with the first panic, with its report', async () => {
    const place = await watched('counter-panics')
    // A panic of before is not looked at.
    await world.owner.client.call(place.database, 'health_check', [])
    setTimeout(() => void world.owner.client.call(place.database, 'health_check', []), 500)
    const report = await soak(nothing, place, 60_000)
    expect(report).toMatchObject({ kind: 'failed', breach: { check: { name: 'No panic in the log' } } })
    const [line] = report.kind === 'failed' ? report.breach.logLines.slice(-1) : []
    expect(line?.level).toBe('Panic')
    expect(report.milliseconds).toBeLessThan(15_000)
  }, 30_000)

  test("goes on with the file's checks of the log, for new lines", async () => {
    const place = await watched('counter')
    await world.owner.client.call(place.database, 'health_check', [])
    const checks = { checks: checksFrom([{ log: { without: 'healthy', with: 'never comes' } }]), deadline: 1 }
    expect(await soak(checks, place, 2500)).toMatchObject({ kind: 'passed' })
    setTimeout(() => void world.owner.client.call(place.database, 'health_check', []), 300)
    const report = await soak(checks, place, 60_000)
    expect(report).toMatchObject({
      kind: 'failed',
      breach: { outcome: { actual: expect.stringContaining('healthy') } }
    })
  }, 30_000)

  test('ends when somebody publishes another module, also for one who may not read the log', async () => {
    const place = await watched('counter')
    const stranger = { ...place, server: world.other.client }
    setTimeout(() => void update(world.owner, place.database, wasm('counter-additive')), 300)
    const report = await soak(nothing, stranger, 60_000)
    expect(report).toMatchObject({
      kind: 'failed',
      breach: { check: { kind: 'served-hash' }, outcome: { actual: `module ${wasm('counter-additive').hash}` } }
    })
  }, 30_000)

  test('ends when the job is cancelled', async () => {
    const cancel = new AbortController()
    const place = { ...(await watched('counter')), cancelled: cancel.signal }
    setTimeout(() => cancel.abort(), 200)
    const report = await soak(nothing, place, 60_000)
    expect(report.kind).toBe('cancelled')
    expect(report.milliseconds).toBeLessThan(2000)
  })
})
