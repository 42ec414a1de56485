import type { Clock } from '../clock.ts'
import type { Module } from '../module/module.ts'
import { type Identity, isIdentity } from '../spacetimedb/identity.ts'
import { type PublishAnswer, type Resolution, type Server, ServerFailure } from '../spacetimedb/server.ts'
import type { LiveState } from './deployment.ts'
import { findLiveState, insist } from './live-state.ts'
import { reasonOf, send } from './publish.ts'

/** How publishing to a new name ended. */
export type CreationOutcome =
  | { readonly kind: 'created'; readonly identity: Identity }
  /** Another job of ours created the database, with this very module. */
  | { readonly kind: 'already-there'; readonly identity: Identity }
  /**
   * Nothing is there: the module was refused, or the server could not be reached. `mayLand`: a publish whose answer
   * was lost may yet be carried out.
   */
  | { readonly kind: 'not-created'; readonly reason: string; readonly claimed: boolean; readonly mayLand: boolean }
  /** Somebody else created the database in between. */
  | { readonly kind: 'lost-race'; readonly reason: string; readonly live: LiveState }
  | { readonly kind: 'unknown'; readonly reason: string }

export type Creation = {
  readonly database: string
  readonly module: Module
  /** Who we are. */
  readonly identity: Identity
  /** Who the database is to belong to, when not to us. */
  readonly organization?: string | undefined
}

const attempts = 3

/**
 * Publishes to a name that holds no database, and finds out what came of it. When the answer is lost, the name tells:
 * a first publish may be dropped half-way and leave the name claimed and empty, open to anyone, so it is sent again
 * at once. Once `cancelled`, nothing is sent that was not sent before.
 */
export async function publishFirst(
  server: Server,
  creation: Creation,
  clock: Clock,
  cancelled?: AbortSignal
): Promise<CreationOutcome> {
  const { database, module, organization } = creation
  let sentBefore = false
  for (let attempt = 1; ; attempt++) {
    const answer = await send(() => server.publishFirst(database, module, organization), clock, cancelled)
    if (answer.kind === 'not-sent' && !sentBefore) {
      return { kind: 'not-created', reason: reasonOf(answer), claimed: false, mayLand: false }
    }
    const found = await findOut(server, database, clock)
    if (found.kind === 'unknown') return { kind: 'unknown', reason: found.reason }
    if (found.kind === 'exists') return judge(server, creation, answer, found, sentBefore, clock)

    const claimed = found.kind === 'claimed'
    const isFinal = answer.kind === 'refused' || answer.kind === 'bad-module'
    if (isFinal || attempt === attempts || cancelled?.aborted) {
      return { kind: 'not-created', reason: reasonOf(answer), claimed, mayLand: !isFinal }
    }
    sentBefore = true
    if (!claimed) await clock.sleep(1000 * attempt)
  }
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
  if (!(await isOurs(server, creation, found))) {
    return { kind: 'lost-race', live, reason: `Somebody else created the database: its owner is ${found.owner}.` }
  }
  if (live.kind === 'unknown') {
    return { kind: 'unknown', reason: live.reason ?? 'The server did not say which module it serves.' }
  }
  if (live.kind !== 'new') {
    const why = answer.kind === 'published' ? '' : ` ${reasonOf(answer)}`
    return { kind: 'lost-race', live, reason: `Somebody else created the database, with another module.${why}` }
  }
  // Publishing over the same module answers «updated»; over any other it is refused.
  const isByAnother = answer.kind === 'published' && answer.operation === 'updated' && !sentBefore
  return { kind: isByAnother ? 'already-there' : 'created', identity: found.identity }
}

/** Of an organization that is known by name only the server can tell whether it is the owner: it plans for no other. */
async function isOurs(
  server: Server,
  { database, module, identity, organization }: Creation,
  { owner }: Extract<Resolution, { kind: 'exists' }>
): Promise<boolean> {
  if (owner === identity) return true
  if (organization === undefined || isIdentity(organization)) return owner === organization
  try {
    await server.plan(database, module)
    return true
  } catch (failure) {
    if (failure instanceof ServerFailure && failure.kind === 'forbidden') return false
    throw failure
  }
}

async function findOut(server: Server, database: string, clock: Clock) {
  const answer = await insist(() => server.resolve(database), clock)
  return answer.kind === 'answer' ? answer.value : answer
}
