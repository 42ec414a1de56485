import type { Module } from '../../../src/module/module.ts'
import type { Schema } from '../../../src/module/schema.ts'
import type { Checkpoint } from '../../../src/release/checkpoint.ts'
import { deploy } from '../../../src/release/deploy.ts'
import type { Deployment } from '../../../src/release/deployment.ts'
import { driftOf, readHistory } from '../../../src/release/ledger/history.ts'
import type { ReleaseRecord } from '../../../src/release/ledger/record.ts'
import type { DeployRequest, DeployTools } from '../../../src/release/work.ts'
import type { Server } from '../../../src/spacetimedb/server.ts'
import { emptySchema } from '../../smoke/model-place.ts'
import { MemoryLedger } from '../memory-ledger.ts'
import { modelClock, modelServer, moduleOf, us } from '../model-server.ts'

export const old = moduleOf('old')
export const next = moduleOf('next')
/** Its health check fails. */
export const sick = moduleOf('a sick module')
/** It lacks a reducer that the others have. */
export const breaking = moduleOf('a breaking module')
export const foreign = moduleOf('foreign')

const call = { name: 'spawn', parameters: [], visibility: 'client' } as const
const healthCheck = { name: 'health_check', parameters: [], visibility: 'client' } as const

async function describe({ hash }: Module): Promise<Schema> {
  return { ...emptySchema, reducers: hash === breaking.hash ? [healthCheck] : [healthCheck, call] }
}

/** A step that calls a reducer; `fails` is one that always returns an error. */
export function stepOf(reducer: string) {
  const place = { line: 1, column: 1 }
  return { kind: 'call', name: reducer, place, timeout: 1000, reducer, args: [] } as const
}

/** Of a process that may be killed: nothing that it asks for from then on is done. */
function mortal<T extends object>(target: T, isDead: () => boolean): T {
  return new Proxy(target, {
    get: (_, name) => {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => (isDead() ? new Promise(() => {}) : value.apply(target, args))
    }
  })
}

/** A database and a ledger in memory, to deploy to. */
export class Trial {
  readonly model: ReturnType<typeof modelServer>
  readonly clock = modelClock()
  readonly ledger = new MemoryLedger('production', this.clock)
  readonly cancellation = new AbortController()
  readonly checkpoints: Checkpoint[] = []
  readonly warnings: string[] = []
  /** The process is killed right after it has saved such a checkpoint. */
  killedAt: (checkpoint: Checkpoint) => boolean = () => false
  readonly #folder: string
  #onKill: (left: Checkpoint) => void = () => {}

  constructor(folder: string, live: Module | undefined) {
    this.#folder = folder
    this.model = modelServer(live && { live })
  }

  get place() {
    return { server: this.model.server.url, database: 'game', databaseIdentity: this.model.databaseIdentity }
  }

  get server(): Server {
    const { model } = this
    return {
      ...model.server,
      liveModule: async () => {
        await model.server.live('game')
        if (!model.state.live) throw new Error('nothing is live')
        return model.state.live
      },
      schema: async () => describe(model.state.live ?? old),
      call: async (_database, reducer) => {
        const fails = reducer === 'fails' || model.state.live?.hash === sick.hash
        return fails ? { kind: 'failed', reason: 'I am not well.' } : { kind: 'ok', value: null }
      }
    }
  }

  record(module: Module, more: Partial<ReleaseRecord> = {}): ReleaseRecord {
    return { version: 1, action: 'deploy', ...this.place, moduleHash: module.hash, ...more }
  }

  /** Writes a release down that ended well. */
  released(module: Module, more: Partial<ReleaseRecord> = {}) {
    return this.ledger.add(this.record(module, more), { result: 'updated', isChecked: true })
  }

  deploy(request: Partial<DeployRequest> = {}): Promise<Deployment> {
    return this.#deploy(request, this.ledger)
  }

  /** Where there is no ledger. */
  deployWithout(request: Partial<DeployRequest>): Promise<Deployment> {
    return this.#deploy(request, undefined)
  }

  /** Deploys until `killedAt`: what was left then. */
  deployUntilKilled(request: Partial<DeployRequest> = {}): Promise<Checkpoint> {
    return new Promise((resolve, reject) => {
      this.#onKill = resolve
      const survived = ({ result }: Deployment) => reject(new Error(`The deploy came to its own end: ${result}.`))
      this.deploy(request).then(survived, reject)
    })
  }

  #deploy(request: Partial<DeployRequest>, ledger: MemoryLedger | undefined): Promise<Deployment> {
    const asked: DeployRequest = {
      database: 'game',
      module: next,
      modulePath: 'next.wasm',
      create: false,
      allowBreakingClients: false,
      allowIrreversible: false,
      healthCheck: { kind: 'auto' },
      healthTimeout: 1000,
      onFailure: 'rollback',
      dryRun: false,
      notes: { action: 'deploy', commit: 'c0ffee', run: 'https://github.example/runs/7', actor: 'mona' },
      ...request
    }
    return deploy(asked, this.tools(ledger))
  }

  /** What a release works with: of a process of its own. */
  tools(ledger: MemoryLedger | undefined): DeployTools {
    let isDead = false
    const server = mortal(this.server, () => isDead)
    return {
      server,
      anonymous: server,
      identity: us,
      describe,
      clock: this.clock,
      narrator: { begin: () => {}, end: () => {}, tell: () => {}, warn: (text) => this.warnings.push(text) },
      folder: this.#folder,
      origin: {},
      ledger: ledger && mortal(ledger, () => isDead),
      remember: (checkpoint) => {
        if (isDead) return
        this.checkpoints.push(checkpoint)
        isDead = this.killedAt(checkpoint)
        if (isDead) this.#onKill(checkpoint)
      },
      cancelled: this.cancellation.signal
    }
  }

  /** Whether something else is live than the ledger says. */
  async hasDrift(): Promise<boolean> {
    if (!this.model.state.live) return false
    const drift = await driftOf(readHistory(this.ledger, this.place), this.model.state.live.hash)
    if (drift.kind === 'failed') throw new Error(drift.reason)
    return drift.value !== undefined
  }
}
