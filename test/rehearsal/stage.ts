import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from '@jest/globals'
import { systemClock } from '../../src/clock.ts'
import type { Narrator } from '../../src/journal.ts'
import { describeOnce } from '../../src/module/describe-once.ts'
import type { Module } from '../../src/module/module.ts'
import type { OldModule, Rehearsal, RehearsalRequest, RehearsalTools } from '../../src/rehearsal/rehearsal.ts'
import { rehearse } from '../../src/rehearsal/rehearse.ts'
import { rehearsalJson, rehearsalSchema } from '../../src/rehearsal/report-json.ts'
import { parseSeed } from '../../src/rehearsal/seed-file.ts'
import { renderRehearsal } from '../../src/rehearsal/summary.ts'
import type { Checks } from '../../src/smoke/check.ts'
import { checksOf as checksOfDrafts } from '../../src/smoke/check-of.ts'
import { checkList, defaultDeadline } from '../../src/smoke/checks-schema.ts'
import { defaultChecks } from '../../src/smoke/default-checks.ts'
import { runChecks } from '../../src/smoke/run-checks.ts'
import { connect } from '../../src/spacetimedb/client.ts'
import { type EmbeddedServer, startServer } from '../embedded/server.ts'
import { newName, prepareWorld, type User, userWith, type World, wasm } from '../server/world.ts'

/** What a test says of a rehearsal; the rest is as most tests want it. */
export type Asked = {
  readonly old: OldModule
  readonly module: string | Module
  /** YAML. */
  readonly seed?: string
  readonly checks?: Checks
  readonly objections?: RehearsalRequest['objections']
  readonly isAskedFor?: boolean
  readonly release?: Partial<RehearsalRequest['release']>
  readonly tools?: Partial<RehearsalTools>
}

/** A rehearsal with everything that was said of it. */
export type Rehearsed = Rehearsal & {
  readonly markdown: string
  readonly json: string
  /** What was told while it went on. */
  readonly log: string
  /** The database of the rehearsal. */
  readonly database: string
}

/** Two servers: a live one, and one that is thrown away. */
export type RehearsalStage = {
  readonly live: World
  /** Who owns the server that is thrown away. */
  readonly owner: User
  readonly thrownAwayUrl: string
  liveDatabase(module: string): Promise<string>
  /** What a rehearsal reads, as the owner unless told. */
  from(database: string, user?: User): OldModule
  rehearse(asked: Asked): Promise<Rehearsed>
}

export function prepareStage(): RehearsalStage {
  const live = prepareWorld()
  const describe = describeOnce()
  const folder = mkdtempSync(join(tmpdir(), 'rehearsal-'))
  let thrownAway: { readonly server: EmbeddedServer; readonly owner: User } | undefined
  const ready = () => {
    if (thrownAway === undefined) throw new Error('the server is there only while tests run')
    return thrownAway
  }
  beforeAll(async () => {
    const server = await startServer()
    thrownAway = { server, owner: userWith(server.url, await server.issueToken()) }
  })
  afterAll(async () => {
    await ready().server.close()
    rmSync(folder, { recursive: true })
  })
  return {
    live,
    get owner() {
      return ready().owner
    },
    get thrownAwayUrl() {
      return ready().server.url
    },
    liveDatabase: (module) => live.create(module),
    from: (database, user = live.owner) => ({ kind: 'live', server: user.client, database, identity: user.identity }),
    rehearse: async ({ old, module, seed, checks, objections = [], isAskedFor = true, release, tools }) => {
      const { server, owner } = ready()
      const database = newName()
      const { narrator, lines } = listener()
      const rehearsal = await rehearse(
        {
          old,
          module: typeof module === 'string' ? wasm(module) : module,
          modulePath: 'module.wasm',
          database,
          release: { ...asStrictAsCanBe, ...release },
          seed: seed === undefined ? undefined : parseSeed(new TextEncoder().encode(seed), 'seed.yml'),
          checks,
          objections,
          isAskedFor
        },
        {
          server: owner.client,
          anonymous: connect({ url: server.url }),
          identity: owner.identity,
          describe,
          clock: systemClock,
          narrator,
          folder,
          origin: {},
          cancelled: new AbortController().signal,
          runChecks,
          defaultChecks,
          ...tools
        }
      )
      const json = rehearsalJson(rehearsal)
      rehearsalSchema.parse(JSON.parse(json))
      const told = { markdown: renderRehearsal(rehearsal), json, log: lines.join('\n') }
      return { ...rehearsal, ...told, database }
    }
  }
}

/** Checks as a file has them. */
export function checksOf(written: readonly object[]): Checks {
  const drafts = checkList.parse(written).map((each) => ({ written: each, origin: { kind: 'default' } as const }))
  return { checks: checksOfDrafts(drafts), deadline: defaultDeadline }
}

const asStrictAsCanBe: RehearsalRequest['release'] = {
  allowBreakingClients: false,
  allowIrreversible: false,
  healthCheck: { kind: 'auto' },
  healthTimeout: 10_000,
  onFailure: 'rollback'
}

function listener(): { readonly narrator: Narrator; readonly lines: readonly string[] } {
  const lines: string[] = []
  const narrator: Narrator = {
    begin: (step) => lines.push(step),
    end: ({ name, detail }) => lines.push(`${name}: ${detail}`),
    tell: (text) => lines.push(text),
    warn: (text) => lines.push(text)
  }
  return { narrator, lines }
}
