import { resolveDatabase } from './database.ts'
import { isItSpacetimeDb } from './failures.ts'
import { type Identity, isIdentity } from './identity.ts'
import type { Limits } from './limits.ts'
import { type MetricSample, metricSamples } from './metrics-text.ts'
import { ServerFailure } from './server.ts'
import type { Question, Session } from './session.ts'

/** Prometheus' text; `undefined` where a proxy before the server doesn't show it, as Maincloud's. */
export async function readMetrics(session: Session, limits: Limits): Promise<string | undefined> {
  // Some 45 kB for each database that the server ever had.
  const question = { ...questionFor(limits), longestAnswer: 256 * 1024 * 1024 }
  const answer = await session.ask(question)
  if (answer.status === 200) return answer.body
  if (hidden.includes(answer.status)) return undefined
  throw session.failure(question, answer)
}

/**
 * The metrics of one database, by name or identity, out of those of all: the text is read as it arrives, so its length
 * doesn't matter. `undefined` where the server hides it.
 */
export async function readMetricsOf(
  session: Session,
  limits: Limits,
  database: string
): Promise<readonly MetricSample[] | undefined> {
  const identity = await identityOf(session, limits, database)
  const question: Question = { ...questionFor(limits), beginsWithBody: true, idleTimeout: limits.read.timeout }
  const result = await session.stream(question)
  if (hidden.includes(result.answer.status)) return undefined
  if (result.kind !== 'streaming') throw session.failure(question, result.answer)
  if (/html/i.test(result.answer.headers['content-type'] ?? '')) {
    throw session.unexpected(question, result.answer, `the answer is a page, not metrics. ${isItSpacetimeDb}`)
  }
  try {
    return await samplesOf(identity, result.chunks)
  } catch (cause) {
    throw session.broken(question, cause)
  }
}

function questionFor(limits: Limits): Question {
  return { purpose: 'read the metrics', method: 'GET', path: '/v1/metrics', anonymous: true, ...limits.read }
}

const hidden: readonly number[] = [401, 403, 404]

/** Labels name databases by identity only. */
async function identityOf(session: Session, limits: Limits, database: string): Promise<Identity> {
  if (isIdentity(database)) return database
  const resolution = await resolveDatabase(session, limits, database)
  if (resolution.kind === 'exists') return resolution.identity
  throw new ServerFailure('missing', `There is no database "${database}" on ${session.url} to read metrics of.`)
}

async function samplesOf(identity: Identity, chunks: AsyncIterable<Uint8Array>): Promise<readonly MetricSample[]> {
  const samples: MetricSample[] = []
  // Of what may be a hundred thousand lines few are about this database: the others are not even parsed.
  for await (const sample of metricSamples(chunks, (line) => line.includes(identity))) {
    if (sample.labels.db === identity || sample.labels.database_identity === identity) samples.push(sample)
  }
  return samples
}
