import type { Clock } from '../clock.ts'
import type { Module } from '../module/module.ts'
import type { Server } from '../spacetimedb/server.ts'
import type { LiveState } from './deployment.ts'
import { findLiveState, insist, type Release } from './live-state.ts'
import { publishUpdate } from './publish.ts'

/** How going back ended, and what is live now. */
export type RollBackOutcome = {
  readonly result: 'rolled-back' | 'rollback-failed' | 'unknown'
  readonly live: LiveState
  /** Why it failed; empty when it didn't. */
  readonly reason: string
  /** Whether the server gave no answer, so that trying again later may do. */
  readonly unanswered?: boolean
}

export type RollBack = {
  readonly database: string
  /** The module to bring back, and whose bytes are at hand. */
  readonly previous: Module
  /** The release to leave. Only from this one is anything rolled back: what somebody else published stays. */
  readonly next: Release
}

/**
 * Publishes the previous module back, by its own plan and as a compare-and-swap. It restores the module, not the
 * data. Never throws: a server that doesn't answer ends in `unknown`.
 */
export async function rollBack(server: Server, request: RollBack, clock: Clock): Promise<RollBackOutcome> {
  const { database, previous, next } = request
  const before = await findLiveState(server, database, { previous, next }, clock)
  if (before.kind === 'previous') return { result: 'rolled-back', live: before, reason: '' }
  if (before.kind === 'unknown')
    return { result: 'unknown', live: before, reason: before.reason ?? '', unanswered: true }
  if (before.kind !== 'new') return { result: 'rollback-failed', live: before, reason: notOursAnyMore(before) }

  const planned = await insist(() => planBack(server, database, previous), clock)
  if (planned.kind === 'unknown') {
    return { result: 'rollback-failed', live: before, reason: planned.reason, unanswered: true }
  }
  if (planned.value.kind === 'manual') {
    return { result: 'rollback-failed', live: before, reason: planned.value.reason.trim() }
  }

  const { token } = planned.value
  const outcome = await publishUpdate(server, { database, module: previous, previous: next, token }, clock)
  switch (outcome.kind) {
    case 'live':
    case 'already-live':
      return { result: 'rolled-back', live: { kind: 'previous' }, reason: '' }
    case 'made-anew':
      return { result: 'rollback-failed', live: { kind: 'previous' }, reason: madeAnew }
    case 'not-published':
      return { result: 'rollback-failed', live: { kind: 'new' }, reason: outcome.reason, unanswered: outcome.mayLand }
    case 'gone':
      return { result: 'rollback-failed', live: { kind: 'none' }, reason: notOursAnyMore({ kind: 'none' }) }
    case 'overtaken':
      return { result: 'rollback-failed', live: outcome.live, reason: notOursAnyMore(outcome.live) }
    case 'unknown':
      return { result: 'unknown', live: outcome.live, reason: outcome.reason, unanswered: true }
  }
}

/** The previous module ran on this server, so that it can't load it now is a trouble of the moment. */
async function planBack(server: Server, database: string, previous: Module) {
  const plan = await server.plan(database, previous)
  if (plan.kind === 'bad-module') throw new Error(plan.reason)
  return plan
}

/** What is said of an update that turned out to be a creation. */
export const madeAnew =
  'Somebody deleted the database in between. This publish made it anew: it is empty, and all its data is gone.'

function notOursAnyMore(live: LiveState): string {
  if (live.kind === 'none') return 'The database is gone: somebody deleted it.'
  const hash = live.kind === 'other' && live.hash ? ` (${live.hash})` : ''
  return `Somebody else has published another module since${hash}; it was left alone.`
}
