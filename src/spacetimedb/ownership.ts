import { databasesAnswer, isServersOwn, namesAnswer } from './answers.ts'
import { databasePath, saysNothingThere } from './database.ts'
import type { Identity } from './identity.ts'
import type { Limits } from './limits.ts'
import type { DeleteAnswer } from './server.ts'
import type { Question, Session } from './session.ts'
import type { Answer } from './transport.ts'

/** The databases that somebody owns: anyone may ask (docs/server-behaviour.md, "Ownership"). */
export async function databasesOf(session: Session, limits: Limits, owner: Identity): Promise<readonly Identity[]> {
  const question: Question = {
    purpose: `list the databases of identity ${owner}`,
    method: 'GET',
    path: `/v1/identity/${owner}/databases`,
    ...limits.read
  }
  const answer = await session.ask(question)
  if (answer.status !== 200) throw session.failure(question, answer)
  return session.parse(question, answer, databasesAnswer).identities
}

/** All names that lead to a database; none when it is not there. */
export async function namesOf(session: Session, limits: Limits, database: string): Promise<readonly string[]> {
  const question: Question = {
    purpose: `list the names of "${database}"`,
    method: 'GET',
    path: `${databasePath(database)}/names`,
    ...limits.read
  }
  const answer = await session.ask(question)
  if (saysNothingThere(answer, database)) return []
  if (answer.status !== 200) throw session.failure(question, answer)
  return session.parse(question, answer, namesAnswer).names
}

/**
 * Deletes a database with all its data, by one request on a connection of its own. Repeating it could hit a database that
 * was made anew: a deleted one's name keeps its identity (docs/server-behaviour.md, "Two kinds of not there"). Throws a
 * `ServerFailure` where the server says that this caller may not (401, 403), or knows nothing of it (404).
 */
export async function deleteDatabase(session: Session, limits: Limits, database: Identity): Promise<DeleteAnswer> {
  const question: Question = {
    purpose: `delete the database ${database}`,
    method: 'DELETE',
    path: databasePath(database),
    ...limits.read
  }
  const outcome = await session.sendOnce(question)
  switch (outcome.kind) {
    case 'not-sent':
      return { kind: 'not-sent', failure: outcome.failure }
    case 'lost':
      return { kind: 'uncertain', failure: outcome.failure }
    case 'answered':
      return judge(session, question, outcome.answer)
  }
}

function judge(session: Session, question: Question, answer: Answer): DeleteAnswer {
  if (answer.status === 200) return { kind: 'deleted' }
  if (saysLocked(answer)) return { kind: 'locked' }
  const failure = session.failure(question, answer)
  if ([401, 403, 404].includes(answer.status)) throw failure
  return { kind: 'uncertain', failure }
}

/** docs/server-behaviour.md, "Locks". */
function saysLocked(answer: Answer): boolean {
  return answer.status === 403 && isServersOwn(answer) && /^Database is locked\b/.test(answer.body)
}
