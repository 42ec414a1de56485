import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { ModuleHash } from '../module/hash.ts'
import { type Server, ServerFailure } from '../spacetimedb/server.ts'
import type { LiveState } from './deployment.ts'

/** The two releases that a database can be in while one takes the other's place. */
export type Releases = { readonly previous?: ModuleHash; readonly next: ModuleHash }

/** How long, in milliseconds, a server that doesn't answer is asked: enough for it to restart. */
export const patience = 60_000

/** An answer, or why there was none for as long as `patience` lasted. */
export type Insisted<T> =
  | { readonly kind: 'answer'; readonly value: T }
  | { readonly kind: 'unknown'; readonly reason: string }

/** Asks until there is an answer or `patience` is over. Never throws. */
export async function insist<T>(ask: () => Promise<T>, clock: Clock): Promise<Insisted<T>> {
  const deadline = clock.now() + patience
  for (let pause = 500; ; pause = Math.min(pause * 2, 5000)) {
    try {
      return { kind: 'answer', value: await ask() }
    } catch (failure) {
      if (clock.now() + pause >= deadline) return { kind: 'unknown', reason: messageOf(failure) }
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
    if (hash === releases.next) return { kind: 'new' }
    if (hash === releases.previous) return { kind: 'previous' }
    return { kind: 'other', hash }
  } catch (failure) {
    if (failure instanceof ServerFailure && failure.kind === 'missing') return { kind: 'none' }
    throw failure
  }
}
