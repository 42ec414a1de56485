import type { Clock } from '../clock.ts'
import type { Module } from '../module/module.ts'
import { type PublishAnswer, type Server, ServerFailure } from '../spacetimedb/server.ts'
import type { LiveState, OtherModule } from './deployment.ts'
import { findLiveState, patience, type Release } from './live-state.ts'

/** How publishing an update ended. Once something was sent, what is live was asked from the database. */
export type UpdateOutcome =
  /** The new module is live. */
  | { readonly kind: 'live' }
  /** The new module is live, and this publish was refused: somebody else has published the same one. */
  | { readonly kind: 'already-live' }
  /** The new module is live, in a database that somebody had deleted: this publish made it anew, without its data. */
  | { readonly kind: 'made-anew' }
  /** The previous module is live still. `mayLand`: a publish whose answer was lost may yet be carried out. */
  | { readonly kind: 'not-published'; readonly reason: string; readonly mayLand: boolean }
  /** Somebody else's module is live now; `applied` is whether ours was before it, where that is known. */
  | { readonly kind: 'overtaken'; readonly live: OtherModule; readonly applied: boolean | undefined }
  /** Somebody deleted the database. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'unknown'; readonly live: LiveState; readonly reason: string }

export type Update = {
  readonly database: string
  readonly module: Module
  /** The module that the plan was made for; `undefined` when nobody can read which it is. */
  readonly previous: Release | undefined
  /** The plan's token. */
  readonly token: string
}

const attempts = 3

/** How long, in milliseconds, a publish whose answer was lost is given to land. */
export const afterglow = 8_000

/**
 * Publishes an update as a compare-and-swap and finds out what came of it. A lost answer is settled by looking at
 * the live hash; sending again is safe since the token is good only while the previous module is live. Once
 * `cancelled`, nothing is sent that was not sent before. Never throws after something was sent.
 */
export async function publishUpdate(
  server: Server,
  update: Update,
  clock: Clock,
  cancelled?: AbortSignal
): Promise<UpdateOutcome> {
  let mayLand = false
  for (let attempt = 1; ; attempt++) {
    const request = () => server.publishUpdate(update.database, update.module, update.token)
    const answer = await send(request, clock, cancelled)
    if (answer.kind === 'not-sent' && !mayLand) return { kind: 'not-published', reason: reasonOf(answer), mayLand }
    if (answer.kind === 'uncertain') mayLand = true
    const outcome = await settle(server, update, answer, mayLand, clock)
    // The server has planned this module before, so that it can't load it is as passing as a lost answer.
    const mayPass = answer.kind === 'uncertain' || answer.kind === 'bad-module'
    if (outcome.kind !== 'not-published' || !mayPass) return outcome
    if (attempt < attempts && !cancelled?.aborted) await clock.sleep(1000 * attempt)
    else return mayLand ? watch(server, update, answer, clock) : outcome
  }
}

/**
 * Sends a module to be published. A server that takes no connection has seen nothing, so it is tried again for as
 * long as `patience` lasts. An answer that refuses the credential or the address changed nothing, as little as any
 * other refusal.
 */
export async function send(
  request: () => Promise<PublishAnswer>,
  clock: Clock,
  cancelled?: AbortSignal
): Promise<PublishAnswer> {
  const deadline = clock.now() + patience
  try {
    for (let pause = 500; ; pause = Math.min(pause * 2, 5000)) {
      const answer = await request()
      const isOver = cancelled?.aborted || clock.now() + pause >= deadline
      if (answer.kind !== 'not-sent' || isOver) return answer
      await clock.sleep(pause, cancelled)
      if (cancelled?.aborted) return answer
    }
  } catch (failure) {
    if (failure instanceof ServerFailure) return { kind: 'refused', reason: failure.message }
    throw failure
  }
}

/** Why an answer is not the one that was hoped for. */
export function reasonOf(answer: PublishAnswer): string {
  if (answer.kind === 'published') return 'The server said that it published, but serves the old module.'
  return 'failure' in answer ? answer.failure.message : answer.reason
}

async function settle(
  server: Server,
  update: Update,
  answer: PublishAnswer,
  mayLand: boolean,
  clock: Clock
): Promise<UpdateOutcome> {
  const { database, previous, module: next } = update
  const live = await findLiveState(server, database, { previous, next }, clock)
  const notPublished = { kind: 'not-published', reason: reasonOf(answer), mayLand } as const
  switch (live.kind) {
    case 'new':
      if (answer.kind === 'refused' && !mayLand) return { kind: 'already-live' }
      return answer.kind === 'published' && answer.operation === 'created' ? { kind: 'made-anew' } : { kind: 'live' }
    case 'previous':
      return notPublished
    case 'other':
      // Where nobody could read the previous module, one that can't be read may be that one still.
      if (previous === undefined && live.hash === undefined) return notPublished
      return { kind: 'overtaken', live, applied: answer.kind === 'published' ? true : mayLand ? undefined : false }
    case 'none':
      return { kind: 'gone' }
    case 'unknown':
      return { kind: 'unknown', live, reason: live.reason ?? reasonOf(answer) }
  }
}

/** Looks on for a while: the old module is believed to stay only when it stays. */
async function watch(server: Server, update: Update, answer: PublishAnswer, clock: Clock): Promise<UpdateOutcome> {
  const deadline = clock.now() + afterglow
  for (;;) {
    await clock.sleep(1000)
    const outcome = await settle(server, update, answer, true, clock)
    if (outcome.kind !== 'not-published' || clock.now() >= deadline) return outcome
  }
}
