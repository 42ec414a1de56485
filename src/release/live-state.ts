import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { isTokenOf } from '../module/hash.ts'
import type { Module } from '../module/module.ts'
import { type Server, ServerFailure } from '../spacetimedb/server.ts'
import type { LiveState } from './deployment.ts'

/** A module by its hash, and by its bytes where they are at hand. */
export type Release = Module | Pick<Module, 'hash'>

/** Whether a release's bytes are at hand. */
export function isModule(release: Release): release is Module {
  return 'bytes' in release
}

/** The two releases that a database can be in while one takes the other's place. */
export type Releases = { readonly previous?: Release | undefined; readonly next: Release }

/** How long, in milliseconds, a server that doesn't answer is asked: enough for it to restart. */
export const patience = 60_000

/** An answer, or why there was none for as long as `patience` lasted. */
export type Insisted<T> =
  | { readonly kind: 'answer'; readonly value: T }
  | { readonly kind: 'unknown'; readonly reason: string }

/** Asks until there is an answer, asking again makes no sense, or `patience` is over. Never throws. */
export async function insist<T>(ask: () => Promise<T>, clock: Clock): Promise<Insisted<T>> {
  const deadline = clock.now() + patience
  for (let pause = 500; ; pause = Math.min(pause * 2, 5000)) {
    try {
      return { kind: 'answer', value: await ask() }
    } catch (failure) {
      const isFinal = failure instanceof ServerFailure && failure.kind === 'forbidden'
      if (isFinal || clock.now() + pause >= deadline) return { kind: 'unknown', reason: messageOf(failure) }
      await clock.sleep(pause)
    }
  }
}

/** Which release the database runs; `unknown` with why when the server can't be asked. Never throws. */
export async function findLiveState(
  server: Server,
  database: string,
  releases: Releases,
  clock: Clock
): Promise<LiveState & { readonly reason?: string }> {
  const answer = await insist(() => askLive(server, database, releases), clock)
  return answer.kind === 'answer' ? answer.value : answer
}

async function askLive(server: Server, database: string, releases: Releases): Promise<LiveState> {
  try {
    const { hash } = await server.live(database)
    if (hash === releases.next.hash) return { kind: 'new' }
    if (hash === releases.previous?.hash) return { kind: 'previous' }
    return { kind: 'other', hash }
  } catch (failure) {
    if (!(failure instanceof ServerFailure)) throw failure
    if (failure.kind === 'missing') return { kind: 'none' }
    if (failure.kind === 'forbidden') return askByPlan(server, database, releases, failure)
    throw failure
  }
}

/**
 * A module whose `client_connected` refuses lets nobody read what is live, its owner neither. A plan tells all the
 * same: its token is made of the live hash (docs/server-behaviour.md, "Compare and swap"), and a module that is
 * planned over itself always has one.
 */
async function askByPlan(
  server: Server,
  database: string,
  releases: Releases,
  refusal: ServerFailure
): Promise<LiveState> {
  const found = await server.resolve(database)
  if (found.kind !== 'exists') return { kind: 'none' }
  const { next, previous } = releases
  for (const module of [next, previous]) {
    if (module === undefined || !isModule(module)) continue
    const plan = await server.plan(database, module)
    if (plan.kind !== 'automatic') continue
    const isLive = (release: Release) => isTokenOf(plan.token, found.identity, release.hash, module.hash)
    if (isLive(next)) return { kind: 'new' }
    if (previous !== undefined && isLive(previous)) return { kind: 'previous' }
    return { kind: 'other' }
  }
  throw refusal
}
