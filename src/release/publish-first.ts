import type { Clock } from '../clock.ts'
import type { Module } from '../module/module.ts'
import type { Identity } from '../spacetimedb/identity.ts'
import type { PublishAnswer, Resolution, Server } from '../spacetimedb/server.ts'
import type { LiveState } from './deployment.ts'
import { findLiveState, insist } from './live-state.ts'
import { reasonOf, send } from './publish.ts'

/** How publishing to a new name ended. */
export type CreationOutcome =
  | { readonly kind: 'created'; readonly identity: Identity }
  /** Nothing is there: the module was refused, or the server could not be reached. */
  | { readonly kind: 'not-created'; readonly reason: string; readonly claimed: boolean }
  /** Somebody else created the database in between. */
  | { readonly kind: 'lost-race'; readonly reason: string; readonly live: LiveState }
  | { readonly kind: 'unknown'; readonly reason: string }

export type Creation = {
  readonly database: string
  readonly module: Module
  /** Who the database must belong to afterwards. */
  readonly owner: Identity | 'organization'
  readonly organization?: string | undefined
}

const attempts = 3

/**
 * Publishes to a name that holds no database. There is no compare-and-swap for this, so the answer must be
 * `created` and the owner must be us; anything else is a lost race. When the answer is lost, the name tells: a first
 * publish may be dropped half-way and leave the name claimed and empty, open to anyone, so it is sent again at once.
 */
export async function publishFirst(server: Server, creation: Creation, clock: Clock): Promise<CreationOutcome> {
  let lost: string | undefined
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const { database, module, organization } = creation
    const answer = await send(() => server.publishFirst(database, module, organization), clock)
    if (answer.kind === 'not-sent' && attempt === 1) {
      return { kind: 'not-created', reason: reasonOf(answer), claimed: false }
    }
    const found = await findOut(server, creation.database, clock)
    if (found.kind === 'unknown') return { kind: 'unknown', reason: found.reason }
    if (found.kind === 'exists') return judge(server, creation, answer, found, lost !== undefined, clock)

    const claimed = found.kind === 'claimed'
    if (answer.kind === 'refused' || answer.kind === 'bad-module') {
      return { kind: 'not-created', reason: answer.reason, claimed }
    }
    lost = answer.kind === 'published' ? 'The database is gone again: somebody deleted it.' : reasonOf(answer)
    if (!claimed) await clock.sleep(1000 * attempt)
  }
  const found = await findOut(server, creation.database, clock)
  return { kind: 'not-created', reason: lost ?? '', claimed: found.kind === 'claimed' }
}

/** A database is there now. Is it ours, and is it this release? */
async function judge(
  server: Server,
  creation: Creation,
  answer: PublishAnswer,
  found: Extract<Resolution, { kind: 'exists' }>,
  sentBefore: boolean,
  clock: Clock
): Promise<CreationOutcome> {
  const live = await findLiveState(server, creation.database, { next: creation.module }, clock)
  const ours = creation.owner === 'organization' || found.owner === creation.owner
  if (!ours) {
    return { kind: 'lost-race', live, reason: `Somebody else created the database: its owner is ${found.owner}.` }
  }
  if (live.kind === 'unknown') return { kind: 'unknown', reason: 'The server did not say which module it serves.' }
  if (live.kind !== 'new') {
    const why = answer.kind === 'published' ? '' : ` ${reasonOf(answer)}`
    return { kind: 'lost-race', live, reason: `The database was created with another module in between.${why}` }
  }
  const replacedSomething = answer.kind === 'published' && answer.operation === 'updated' && !sentBefore
  if (replacedSomething) {
    const reason = 'The database was created by somebody else in between, and this publish has updated it.'
    return { kind: 'lost-race', live, reason }
  }
  return { kind: 'created', identity: found.identity }
}

async function findOut(server: Server, database: string, clock: Clock) {
  const answer = await insist(() => server.resolve(database), clock)
  return answer.kind === 'answer' ? answer.value : answer
}
