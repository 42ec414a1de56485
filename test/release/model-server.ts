import type { Clock } from '../../src/clock.ts'
import { hashModule, planToken } from '../../src/module/hash.ts'
import type { Module } from '../../src/module/module.ts'
import type { Identity } from '../../src/spacetimedb/identity.ts'
import { type PublishAnswer, type Server, ServerFailure } from '../../src/spacetimedb/server.ts'

export const us = 'c2'.padEnd(64, '0') as Identity
export const them = 'c2'.padEnd(64, '1') as Identity
const databaseIdentity = 'c2'.padEnd(64, 'd') as Identity

export function moduleOf(text: string): Module {
  const bytes = new TextEncoder().encode(text)
  return { bytes, hash: hashModule(bytes), kind: 'wasm' }
}

/** What happens to a request: it is carried out and answered, or one of these. */
export type Fault = 'not-sent' | 'lost-before' | 'lost-after' | 'unreachable' | 'dropped-half-way' | (() => void)

/**
 * A model of one database on a server, for what can't be brought about on a real one at will: which answers are
 * lost, who publishes in between. `faults` are consumed one a request of that kind; `requests` is what came in.
 */
export function modelServer(start: { live?: Module; closed?: Module; claimed?: boolean; owner?: Identity } = {}) {
  /** `closed` is a module whose `client_connected` refuses, so that nobody can read what is live. */
  const state = { ...start, claimed: start.claimed ?? false, owner: start.owner ?? us }
  const faults: Record<'live' | 'resolve' | 'plan' | 'publish', Fault[]> = {
    live: [],
    resolve: [],
    plan: [],
    publish: []
  }
  const requests: string[] = []
  const lost = () => new ServerFailure('interrupted', 'the connection was cut')
  const unreachable = () => new ServerFailure('unreachable', 'nobody answers')

  function meet(kind: keyof typeof faults): Fault | undefined {
    requests.push(kind)
    const fault = faults[kind].shift()
    if (typeof fault === 'function') fault()
    else if (fault === 'unreachable') throw unreachable()
    return fault
  }

  function carryOut(fault: Fault | undefined, apply: () => PublishAnswer): PublishAnswer {
    if (fault === 'not-sent') return { kind: 'not-sent', failure: unreachable() }
    if (fault === 'lost-before') return { kind: 'uncertain', failure: lost() }
    if (fault === 'dropped-half-way') {
      state.claimed = true
      return { kind: 'uncertain', failure: lost() }
    }
    const answer = apply()
    return fault === 'lost-after' ? { kind: 'uncertain', failure: lost() } : answer
  }

  const server = {
    url: 'http://127.0.0.1:3000',
    async resolve() {
      meet('resolve')
      if (state.live) return { kind: 'exists', identity: databaseIdentity, owner: state.owner, moduleKind: 'wasm' }
      return { kind: state.claimed ? 'claimed' : 'free' }
    },
    async live() {
      meet('live')
      if (!state.live) throw new ServerFailure('missing', 'no such database', 404)
      if (state.live === state.closed) throw new ServerFailure('forbidden', 'closed for maintenance', 403)
      return { hash: state.live.hash, kind: 'wasm' }
    },
    async plan(_database, module) {
      meet('plan')
      const token = planToken(databaseIdentity, state.live?.hash ?? module.hash, module.hash)
      return { kind: 'automatic', text: '', breaksClients: false, token, majorVersionUpgrade: false }
    },
    async publishUpdate(_database, module, token) {
      return carryOut(meet('publish'), () => {
        if (!state.live || token !== planToken(databaseIdentity, state.live.hash, module.hash)) {
          return { kind: 'refused', reason: 'Token provided is invalid' }
        }
        state.live = module
        return { kind: 'published', operation: 'updated', identity: databaseIdentity }
      })
    },
    async publishFirst(_database, module) {
      return carryOut(meet('publish'), () => {
        if (state.live && state.live.hash !== module.hash)
          return { kind: 'refused', reason: 'Token provided is invalid' }
        const operation = state.live ? 'updated' : 'created'
        if (!state.live) state.owner = us
        state.live = module
        return { kind: 'published', operation, identity: databaseIdentity }
      })
    }
  } satisfies Partial<Server>

  return { server: server as unknown as Server, state, faults, requests, databaseIdentity }
}

/** A clock on which waiting takes no time, but longer than an answer that is there. */
export function modelClock(): Clock {
  let now = 0
  return {
    now: () => now,
    random: () => 0.5,
    sleep: async (milliseconds, signal) => {
      await new Promise(setImmediate)
      if (!signal?.aborted) now += milliseconds
    }
  }
}

/** The token of the plan that leads from one module to another. */
export function tokenOf(from: Module, to: Module): string {
  return planToken(databaseIdentity, from.hash, to.hash)
}
