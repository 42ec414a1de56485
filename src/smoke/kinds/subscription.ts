import { orCancelled } from '../../cancellation.ts'
import { type ClientConnection, type Snapshot, SubscriptionRefused } from '../../spacetimedb/client-connection.ts'
import type { Check } from '../check.ts'
import type { Finding } from '../check-report.ts'
import { compareRows, countText, type RowSet } from '../comparison.ts'
import type { Attempt, CheckPlace, RunCheck } from '../place.ts'
import { declaredTables, shapeOf } from '../table-shapes.ts'
import { callAndWait } from './arrival.ts'
import { findingOfRows, refusedQuery } from './rows-finding.ts'
import { serverFor, withinTry } from './within-try.ts'

/**
 * Connects as a client and subscribes; the rows are as they should be. With `call`, a reducer is called over the same
 * connection then, and a row has to arrive by the subscription.
 */
export const runSubscription: RunCheck<'subscription'> = (check, place, attempt) =>
  withinTry(place, attempt, async () => {
    const { timeout, signal } = attempt
    const connection = await serverFor(check, place).connectClient(place.database, { timeout, signal })
    try {
      return await lookThrough(connection, check, place, attempt)
    } finally {
      await orCancelled(connection.close(), AbortSignal.timeout(longestFarewell))
    }
  })

/** Milliseconds that the server gets to answer that we leave; what was found stands without that. */
const longestFarewell = 1000

async function lookThrough(
  connection: ClientConnection,
  { wanted }: Check<'subscription'>,
  place: CheckPlace,
  attempt: Attempt
): Promise<Finding> {
  const queries = typeof wanted.subscription === 'string' ? [wanted.subscription] : wanted.subscription
  const snapshot = await subscribe(connection, queries, attempt.timeout)
  if (snapshot instanceof SubscriptionRefused) return refusedQuery('subscription', snapshot.reason, wanted.as)
  const set = rowsIn(snapshot, queries, place)
  const rows = findingOfRows(compareRows(wanted, set), countText(set.rows.length))
  if (rows.kind !== 'passed' || wanted.call === undefined) return rows
  const arrival = await callAndWait(connection, wanted.call, { as: wanted.as, shapes: set.shapes, place, attempt })
  return arrival.kind === 'passed' ? { ...arrival, detail: `${rows.detail}, then ${arrival.detail}` } : arrival
}

async function subscribe(
  connection: ClientConnection,
  queries: readonly string[],
  timeout: number
): Promise<Snapshot | SubscriptionRefused> {
  try {
    return await connection.subscribe(queries, timeout)
  } catch (failure) {
    if (failure instanceof SubscriptionRefused) return failure
    throw failure
  }
}

/** The rows of all queries. Tables without rows are told of, too: a snapshot may leave them out. */
function rowsIn({ tables }: Snapshot, queries: readonly string[], { schema }: CheckPlace): RowSet {
  const given = tables.map(({ table, inserts }) => ({ shape: shapeOf(table, inserts, schema), inserts }))
  const others = declaredTables(queries, schema).filter((name) => tables.every(({ table }) => table !== name))
  return {
    shapes: [...given.map(({ shape }) => shape), ...others.map((name) => shapeOf(name, [], schema))],
    rows: given.flatMap(({ shape, inserts }) => inserts.map((values) => ({ shape, values })))
  }
}
