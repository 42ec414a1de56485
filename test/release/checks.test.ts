import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { systemClock } from '../../src/clock.ts'
import { describeModule } from '../../src/module/describe.ts'
import type { ReleaseChecks } from '../../src/release/checks.ts'
import { deploy } from '../../src/release/deploy.ts'
import type { Deployment } from '../../src/release/deployment.ts'
import { parseChecks } from '../../src/smoke/checks-file.ts'
import { connect } from '../../src/spacetimedb/client.ts'
import { call, prepareWorld, rows, wasm } from '../server/world.ts'

const world = prepareWorld()
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'release-checks-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

type Options = {
  readonly soak?: number
  readonly allowWrites?: boolean
  readonly during?: (isOver: () => boolean) => Promise<void>
}

/** Deploys `counter-additive` over what is there, with checks. */
async function deployWith(database: string, yaml: string | undefined, options: Options = {}): Promise<Deployment> {
  const checks: ReleaseChecks = {
    checks: yaml === undefined ? undefined : parseChecks(Buffer.from(yaml), 'smoke.yml'),
    soak: options.soak,
    allowWrites: options.allowWrites ?? false,
    allowedLoadHosts: []
  }
  let isOver = false
  const deployment = await deploy(
    {
      database,
      module: wasm('counter-additive'),
      modulePath: 'counter-additive.wasm',
      create: false,
      allowBreakingClients: true,
      allowIrreversible: false,
      healthCheck: { kind: 'auto' },
      healthTimeout: 10_000,
      onFailure: 'rollback',
      dryRun: false,
      checks
    },
    {
      server: world.owner.client,
      anonymous: connect({ url: world.url }),
      identity: world.owner.identity,
      describe: (module) => describeModule(module),
      clock: systemClock,
      narrator: {
        begin: (step) => {
          if (step === 'Soak') void options.during?.(() => isOver)
        },
        end: () => {},
        tell: () => {},
        warn: () => {}
      },
      folder,
      origin: {},
      remember: () => {},
      cancelled: new AbortController().signal
    }
  )
  isOver = true
  return deployment
}

async function hashOf(database: string): Promise<string> {
  return (await world.owner.client.live(database)).hash
}

describe('a release with checks', () => {
  test('is kept when all of them pass', async () => {
    const database = await world.create('counter')
    const deployment = await deployWith(
      database,
      `checks:
        - served-hash: true
        - sql: SELECT * FROM counter
          count: { at-least: 1 }
        - log: { below: error }`
    )
    expect(deployment).toMatchObject({ result: 'updated', live: { kind: 'new' } })
    expect(deployment.smoke?.reports.map(({ outcome }) => outcome.kind)).toEqual(['passed', 'passed', 'passed'])
  })

  test('goes back when one fails, with what was expected and what was found', async () => {
    const database = await world.create('counter')
    const deployment = await deployWith(
      database,
      `checks:
        - name: seven counters
          sql: SELECT * FROM counter
          count: 7
        - ping: true`
    )
    expect(deployment).toMatchObject({ result: 'rolled-back', live: { kind: 'previous' } })
    expect(deployment.reason).toContain('1 of 2 checks failed')
    expect(deployment.reason).toMatch(/seven counters: expected .*7.*, and it was .*1/)
    expect(await hashOf(database)).toBe(wasm('counter').hash)
  })

  test('is not published when a check can’t be run on it: it would go back for nothing', async () => {
    const database = await world.create('counter')
    const deployment = await deployWith(database, 'checks:\n  - reducer: incremnt_counter\n    args: [1]\n')
    expect(deployment).toMatchObject({ result: 'failed', isConfiguration: true, live: { kind: 'previous' } })
    expect(deployment.reason).toMatch(/smoke\.yml:2:5: .*incremnt_counter.*increment_counter/s)
    expect(deployment.objections).toHaveLength(1)
    expect(deployment.smoke).toBeUndefined()
    expect(await hashOf(database)).toBe(wasm('counter').hash)
  })

  test('changes data by its checks only where that is allowed', async () => {
    const database = await world.create('counter')
    const yaml = 'checks:\n  - reducer: increment_counter\n    args: [5]\n    writes: true\n'
    const refused = await deployWith(database, yaml)
    expect(refused).toMatchObject({ result: 'failed', isConfiguration: true })
    expect(refused.reason).toContain('`allow-writes: true`')
    expect(await rows(world.owner, database, 'SELECT * FROM counter WHERE id = 5')).toEqual([])
    const allowed = await deployWith(database, yaml, { allowWrites: true })
    expect(allowed.result).toBe('updated')
    expect(await rows(world.owner, database, 'SELECT * FROM counter WHERE id = 5')).toEqual([[5, 1]])
  })

  test('is watched afterwards, and checked but not watched when it is live already', async () => {
    const database = await world.create('counter')
    const first = await deployWith(database, 'checks:\n  - ping: true\n', { soak: 1000 })
    expect(first).toMatchObject({ result: 'updated', smoke: { soak: { kind: 'passed' } } })
    const second = await deployWith(database, 'checks:\n  - ping: true\n', { soak: 60_000 })
    expect(second.result).toBe('unchanged')
    expect(second.smoke?.reports).toHaveLength(1)
    expect(second.smoke?.soak).toBeUndefined()
  })

  test('goes back when something goes wrong while it is watched', async () => {
    const database = await world.create('counter')
    const deployment = await deployWith(database, 'checks:\n  - log: { below: error }\n', {
      soak: 30_000,
      // The error of a reducer is an error in the log.
      during: async (isOver) => {
        await call(world.owner, database, 'clear_counters', [])
        while (!isOver()) {
          await call(world.owner, database, 'health_check', [])
          await new Promise((resolve) => setTimeout(resolve, 200))
        }
      }
    })
    expect(deployment).toMatchObject({ result: 'rolled-back', smoke: { soak: { kind: 'failed' } } })
    expect(deployment.reason).toContain('During the soak')
    expect(await hashOf(database)).toBe(wasm('counter').hash)
  })

  test('can be watched without checks', async () => {
    const database = await world.create('counter')
    const deployment = await deployWith(database, undefined, { soak: 1000 })
    expect(deployment).toMatchObject({ result: 'updated', smoke: { reports: [], soak: { kind: 'passed' } } })
  })
})
