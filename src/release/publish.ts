import type { Clock } from '../clock.ts'
import type { Module } from '../module/module.ts'
import { type PublishAnswer, type Server, ServerFailure } from '../spacetimedb/server.ts'
import type { LiveState, OtherModule } from './deployment.ts'
import { findLiveState, patience, type Release } from './live-state.ts'

/** How publishing an update ended. Whatever the answers said, `live` was asked from the database. */
export type UpdateOutcome =
  /** The new module is live. */
  | { readonly kind: 'live' }
  /** The previous module is live still: the server said no, or could not be reached. */
  | { readonly kind: 'not-published'; readonly reason: string }
  /** Somebody else's module went live in between. */
  | { readonly kind: 'overtaken'; readonly live: OtherModule }
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

/**
 * Publishes an update as a compare-and-swap and finds out what came of it. A lost answer is settled by looking at
 * the live hash; sending again is safe since the token is good only while the previous module is live. Never throws
 * after something was sent.
 */
export async function publishUpdate(server: Server, update: Update, clock: Clock): Promise<UpdateOutcome> {
  let reason = ''
  for (let attempt = 1; ; attempt++) {
    const answer = await send(() => server.publishUpdate(update.database, update.module, update.token), clock)
    if (answer.kind !== 'published') reason = reasonOf(answer)
    if (answer.kind === 'not-sent' && attempt === 1) return { kind: 'not-published', reason }
    const settled = await settle(server, update, reason, clock)
    // The server has planned this module before, so that it can't load it is as passing as a lost answer.
    const mayPass = answer.kind === 'uncertain' || answer.kind === 'bad-module'
    if (settled.kind !== 'not-published' || !mayPass) return settled
    await clock.sleep(1000 * attempt)
    if (attempt === attempts) return settle(server, update, reason, clock)
  }
}

/**
 * Sends a module to be published. A server that takes no connection has seen nothing, so it is tried again for as
 * long as `patience` lasts. An answer that refuses the credential or the address changed nothing, as little as any
 * other refusal.
 */
export async function send(request: () => Promise<PublishAnswer>, clock: Clock): Promise<PublishAnswer> {
  const deadline = clock.now() + patience
  try {
    for (let pause = 500; ; pause = Math.min(pause * 2, 5000)) {
      const answer = await request()
      if (answer.kind !== 'not-sent' || clock.now() + pause >= deadline) return answer
      await clock.sleep(pause)
    }
  } catch (failure) {
    if (failure instanceof ServerFailure) return { kind: 'refused', reason: failure.message }
    throw failure
  }
}

/** Why an answer is not the one that was hoped for. */
export function reasonOf(answer: Exclude<PublishAnswer, { kind: 'published' }>): string {
  return 'failure' in answer ? answer.failure.message : answer.reason
}

async function settle(server: Server, update: Update, reason: string, clock: Clock): Promise<UpdateOutcome> {
  const { database, previous, module: next } = update
  const live = await findLiveState(server, database, { previous, next }, clock)
  const notPublished = reason || 'The server said that it published, but serves the old module.'
  switch (live.kind) {
    case 'new':
      return { kind: 'live' }
    case 'previous':
      return { kind: 'not-published', reason: notPublished }
    case 'other':
      return previous ? { kind: 'overtaken', live } : { kind: 'not-published', reason: notPublished }
    case 'none':
      return { kind: 'unknown', live, reason: 'The database is gone: somebody deleted it in between.' }
    case 'unknown':
      return { kind: 'unknown', live, reason: live.reason ?? reason }
  }
}
