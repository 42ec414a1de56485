import { databaseAnswer, isServersOwn } from './answers.ts'
import { isItSpacetimeDb } from './failures.ts'
import { isIdentity } from './identity.ts'
import type { Limits } from './limits.ts'
import type { Resolution } from './server.ts'
import type { Question, Session } from './session.ts'
import type { Answer } from './transport.ts'

/** The path of everything about a database. */
export function databasePath(database: string): string {
  return `/v1/database/${encodeURIComponent(database)}`
}

/**
 * What there is by that name or identity. Only two texts with status 404 mean "nothing"; every other answer, such
 * as the 404 of a web server that is no SpacetimeDB, is a failure (docs/server-behaviour.md, "Two kinds of not there").
 */
export async function resolveDatabase(session: Session, limits: Limits, database: string): Promise<Resolution> {
  const question: Question = {
    purpose: `look up the database "${database}"`,
    method: 'GET',
    path: databasePath(database),
    ...limits.read
  }
  const answer = await session.ask(question)
  if (answer.status === 404) return absence(session, question, database, answer)
  if (answer.status !== 200) throw session.failure(question, answer)
  const found = session.parse(question, answer, databaseAnswer)
  if (isIdentity(database) && found.database_identity !== database) {
    throw session.unexpected(question, answer, `it answered for another database, ${found.database_identity}.`)
  }
  return { kind: 'exists', identity: found.database_identity, owner: found.owner_identity, moduleKind: found.host_type }
}

function absence(session: Session, question: Question, database: string, answer: Answer): Resolution {
  if (saysNoName(answer, database)) return { kind: 'free' }
  if (saysNoDatabase(answer)) return { kind: 'claimed' }
  const advice = isServersOwn(answer) ? '' : ` ${isItSpacetimeDb}`
  throw session.unexpected(question, answer, `it says "not found" (404), but not as SpacetimeDB says it.${advice}`)
}

/** Whether a 404 says that there is no database, and not that something in it is missing. */
export function saysNothingThere(answer: Answer, database: string): boolean {
  return answer.status === 404 && (saysNoName(answer, database) || saysNoDatabase(answer))
}

function saysNoName(answer: Answer, database: string): boolean {
  return answer.body.trim() === `\`${database}\` not found`
}

function saysNoDatabase(answer: Answer): boolean {
  return answer.body.trim() === 'No such database.'
}
