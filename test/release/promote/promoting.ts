import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../src/clock.ts'
import { describeOnce } from '../../../src/module/describe-once.ts'
import type { Module } from '../../../src/module/module.ts'
import type { Checkpoint } from '../../../src/release/checkpoint.ts'
import type { Deployment } from '../../../src/release/deployment.ts'
import type { Ledger } from '../../../src/release/ledger/ledger.ts'
import { type PromoteRequest, type PromoteTools, promote } from '../../../src/release/promote/promote.ts'
import type { Promoted, Promotion } from '../../../src/release/promote/promotion.ts'
import { connect } from '../../../src/spacetimedb/client.ts'
import type { Server } from '../../../src/spacetimedb/server.ts'
import type { World } from '../../server/world.ts'

export type Watched = {
  readonly promotion: Promotion
  /** Requests to the server by their kind: how often each was made. */
  readonly asked: Readonly<Record<string, number>>
  /** What the log said. */
  readonly told: readonly string[]
  readonly warned: readonly string[]
  readonly checkpoints: readonly Checkpoint[]
  readonly over: readonly Promoted[]
  readonly deployments: readonly Deployment[]
  /** The most databases that were under way at a time. */
  readonly mostAtATime: number
  readonly folder: string
}

export type Interference = {
  /** Told before each request that has to do with one database. */
  readonly before?: (kind: string, database: string) => Promise<void> | void
  /** Told of each database that is over. */
  readonly over?: (database: string) => void
  readonly cancelled?: AbortSignal
  readonly ledger?: Ledger
}

/** Promotes a module as its owner, and watches what that does. */
export async function promoteIn(
  world: World,
  request: Partial<PromoteRequest> & { readonly databases: readonly string[]; readonly module: Module },
  { before, over: tell, cancelled = new AbortController().signal, ledger }: Interference = {}
): Promise<Watched> {
  const folder = mkdtempSync(join(tmpdir(), 'promote-'))
  const asked: Record<string, number> = {}
  const told: string[] = []
  const warned: string[] = []
  const checkpoints: Checkpoint[] = []
  const over: Promoted[] = []
  const deployments: Deployment[] = []
  const underWay = new Set<string>()
  let mostAtATime = 0
  const watch = async (kind: string, database: string) => {
    asked[kind] = (asked[kind] ?? 0) + 1
    underWay.add(database)
    mostAtATime = Math.max(mostAtATime, underWay.size)
    await before?.(kind, database)
  }
  const tools: PromoteTools = {
    server: watched(world.owner.client, watch),
    anonymous: connect({ url: world.url }),
    identity: world.owner.identity,
    describe: describeOnce(),
    clock: systemClock,
    narrator: {
      begin: () => {},
      end: ({ detail }) => told.push(detail),
      tell: (text) => told.push(text),
      warn: (text) => {
        told.push(text)
        warned.push(text)
      }
    },
    folder,
    origin: {},
    cancelled,
    ledger,
    progress: {
      remember: (_database, checkpoint) => checkpoints.push(checkpoint),
      begun: () => {},
      over: (promoted) => {
        underWay.delete(promoted.database)
        over.push(promoted)
        tell?.(promoted.database)
      }
    },
    onDeployed: async (deployment) => {
      deployments.push(deployment)
    }
  }
  const promotion = await promote({ ...usual, ...request }, tools)
  return { promotion, asked, told, warned, checkpoints, over, deployments, mostAtATime, folder }
}

const usual = {
  modulePath: 'promoted.wasm',
  create: false,
  allowBreakingClients: true,
  allowIrreversible: false,
  healthCheck: { kind: 'auto' },
  healthTimeout: 10_000,
  onFailure: 'rollback',
  dryRun: false,
  maxParallel: 2,
  stopOn: 'any'
} as const

/** A server that tells of each request that is about one database. */
function watched(server: Server, watch: (kind: string, database: string) => Promise<void>): Server {
  const kinds = ['resolve', 'plan', 'publishUpdate', 'publishFirst', 'live', 'liveModule', 'schema', 'call'] as const
  const watching = kinds.map((kind) => [
    kind,
    async (database: string, ...rest: unknown[]) => {
      await watch(kind, database)
      return (server[kind] as (...args: unknown[]) => Promise<unknown>)(database, ...rest)
    }
  ])
  return { ...server, ...Object.fromEntries(watching) }
}

/** Each database with how it ended. */
export function resultsOf({ databases }: Promotion): Readonly<Record<string, string>> {
  return Object.fromEntries(databases.map(({ database, result }) => [database, result]))
}
