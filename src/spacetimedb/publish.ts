import { messageOf } from '../errors.ts'
import type { Module } from '../module/module.ts'
import { isServersOwn, planAnswer, publishAnswer, reasonIn } from './answers.ts'
import { databasePath, saysNothingThere } from './database.ts'
import { isIdentity } from './identity.ts'
import type { Limits } from './limits.ts'
import { type PublishAnswer, ServerFailure, type ServerPlan } from './server.ts'
import type { Outcome, Question, Session } from './session.ts'
import type { Answer } from './transport.ts'

/** What the server would do to publish the module; asked as often as needed, since it changes nothing. */
export async function planUpdate(
  session: Session,
  limits: Limits,
  database: string,
  module: Module
): Promise<ServerPlan> {
  const question: Question = {
    purpose: `plan an update of "${database}"`,
    method: 'POST',
    path: `${databasePath(database)}/pre_publish?${new URLSearchParams({ style: 'NoColor', ...hostType(module) })}`,
    body: module.bytes,
    contentType: 'application/octet-stream',
    ...limits.plan,
    isFinal: isAboutTheModule
  }
  const answer = await session.ask(question)
  if (isAboutTheModule(answer)) return { kind: 'bad-module', reason: session.redact(reasonIn(answer)) }
  if (answer.status === 404 && !saysNothingThere(answer, database)) throw notFoundElsewhere(session, question, answer)
  if (answer.status !== 200) throw session.failure(question, answer)
  return session.parse(question, answer, planAnswer)
}

export type Publication =
  | { readonly kind: 'update'; readonly database: string; readonly module: Module; readonly token: string }
  | {
      readonly kind: 'first'
      readonly database: string
      readonly module: Module
      readonly organization: string | undefined
    }

/**
 * Publishes, with one request on a connection of its own, as a compare-and-swap: an update on the plan's token, a
 * first publish on one that no plan has, so that a database which is there by now is not replaced. Throws a `ServerFailure` where the server says that this caller or this
 * address can't publish (401, 403, 404).
 */
export async function publish(session: Session, limits: Limits, publication: Publication): Promise<PublishAnswer> {
  // A publish without a token would succeed on a new name and make a database that belongs to nobody.
  if (session.identity === undefined) throw new Error('Nothing is published without a credential.')
  const question = publishQuestion(limits, publication)
  const outcome = await send(session, question)
  switch (outcome.kind) {
    case 'not-sent':
      return { kind: 'not-sent', failure: outcome.failure }
    case 'lost':
      return { kind: 'uncertain', failure: outcome.failure }
    case 'answered':
      return judge(session, question, publication.database, outcome.answer)
  }
}

/**
 * Where there is no database the server does not look at the token; where there is one, it matches no plan
 * (docs/server-behaviour.md, "Publishing").
 */
const noPlansToken = '0x0'

function publishQuestion(limits: Limits, publication: Publication): Question {
  const { database, module } = publication
  const query = new URLSearchParams({
    policy: 'BreakClients',
    token: publication.kind === 'update' ? publication.token : noPlansToken,
    ...(publication.kind === 'first' && publication.organization && { organization: publication.organization }),
    ...hostType(module)
  })
  return {
    purpose: `publish to "${database}"`,
    method: 'PUT',
    path: `${databasePath(database)}?${query}`,
    body: module.bytes,
    contentType: 'application/octet-stream',
    ...limits.publish
  }
}

/** Wasm is what the server takes a module for unless it is told otherwise. */
function hostType({ kind }: Module): Record<string, string> {
  return kind === 'js' ? { host_type: 'Js' } : {}
}

/** As `sendOnce`; that no token can be had is one more reason why nothing was sent. */
async function send(session: Session, question: Question): Promise<Outcome | { kind: 'not-sent'; failure: Error }> {
  try {
    return await session.sendOnce(question)
  } catch (thrown) {
    return { kind: 'not-sent', failure: thrown instanceof Error ? thrown : new Error(messageOf(thrown)) }
  }
}

function judge(session: Session, question: Question, database: string, answer: Answer): PublishAnswer {
  if (answer.status === 200) return published(session, question, database, answer)
  if ([401, 403, 404].includes(answer.status)) throw session.failure(question, answer)
  if (isAboutTheModule(answer)) return { kind: 'bad-module', reason: session.redact(reasonIn(answer)) }
  if (isRefusal(answer)) return { kind: 'refused', reason: session.redact(reasonIn(answer)) }
  return { kind: 'uncertain', failure: session.failure(question, answer) }
}

function published(session: Session, question: Question, database: string, answer: Answer): PublishAnswer {
  try {
    const { domain, database_identity: identity, op } = session.parse(question, answer, publishAnswer)
    const rightOne = isIdentity(database) ? identity === database : domain === database
    if (rightOne) return { kind: 'published', operation: op, identity }
    const failure = session.unexpected(question, answer, `it answered for another database, ${domain ?? identity}.`)
    return { kind: 'uncertain', failure }
  } catch (failure) {
    if (failure instanceof ServerFailure) return { kind: 'uncertain', failure }
    throw failure
  }
}

/**
 * Whether SpacetimeDB says, by a 500 of its own, that the module doesn't load or that its `init` failed. A proxy's 500
 * says nothing, and some of the server's own are about the moment or a lost race.
 */
function isAboutTheModule(answer: Answer): boolean {
  const reason = answer.body.trim()
  return answer.status === 500 && isServersOwn(answer) && reason !== '' && !otherReasons.test(reason)
}

/** docs/server-behaviour.md, "Answers" and "Publishing". */
const otherReasons =
  /^(no such module$|error starting database: |unable to lock database |record with the name .* already exists|database with identity \S+ (already exists|does not exist)|impossible: we just registered)/

function isRefusal(answer: Answer): boolean {
  return answer.status >= 400 && answer.status < 500 && ![408, 429].includes(answer.status) && isServersOwn(answer)
}

function notFoundElsewhere(session: Session, question: Question, answer: Answer): ServerFailure {
  return session.unexpected(question, answer, 'it says "not found" (404), but not that the database is missing.')
}
