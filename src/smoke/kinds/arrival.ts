import { inUnits, timeText } from '../../duration.ts'
import type { ClientConnection, TableChange } from '../../spacetimedb/client-connection.ts'
import type { Check } from '../check.ts'
import type { Finding } from '../check-report.ts'
import {
  countText,
  expectedRowText,
  isLike,
  mistakeInRow,
  type Row,
  rowText,
  type Shape,
  shownRows
} from '../comparison.ts'
import type { Attempt, CheckPlace } from '../place.ts'
import { shapeOf } from '../table-shapes.ts'
import { rejected } from './calling.ts'
import { errorText } from './reducer.ts'

/** A call by which a row has to arrive, as the check has it. */
type Call = NonNullable<Check<'subscription'>['wanted']['call']>

/** What a call is made with: `shapes` are those of the tables that are subscribed to. */
type Circumstances = {
  readonly as: 'owner' | 'anonymous'
  readonly shapes: readonly Shape[]
  readonly place: CheckPlace
  readonly attempt: Attempt
}

/** Calls the reducer over the connection and waits until the row arrives by what is subscribed to, or its time is over. */
export async function callAndWait(
  connection: ClientConnection,
  call: Call,
  { as, shapes, place, attempt }: Circumstances
): Promise<Finding> {
  const mistake = mistakeIn(call, shapes)
  if (mistake !== undefined) return { kind: 'not-run', reason: mistake, final: true }
  const { reducer, args, within } = call
  const answered = new AbortController()
  const begin = performance.now()
  const stop = AbortSignal.any([attempt.signal, answered.signal, AbortSignal.timeout(within)])
  const arrival = waitForRow(connection, call, { begin, place, stop })
  // It fails with the connection, which the call tells of too.
  arrival.catch(() => {})
  try {
    const answer = await connection.call(reducer, args, attempt.timeout)
    if (answer.kind === 'ok') return findingOf(call, await arrival)
    if (answer.kind === 'rejected') return rejected(reducer, answer, as, place)
    return { kind: 'failed', expected: `"${reducer}" ends with ok`, actual: errorText(answer.reason), final: true }
  } finally {
    answered.abort()
  }
}

function mistakeIn({ row, table }: Call, shapes: readonly Shape[]): string | undefined {
  const candidates = table === undefined ? shapes : shapes.filter((shape) => shape.table === table)
  if (candidates.length > 0) return mistakeInRow(row, candidates)
  const tables = shapes.map((shape) => shape.table).join(', ') || 'none'
  return `No row of table "${table}" can arrive by this subscription. Its tables: ${tables}.`
}

type Arrival =
  | { readonly kind: 'arrived'; readonly row: Row; readonly milliseconds: number }
  | { readonly kind: 'missing'; readonly others: readonly Row[] }

async function waitForRow(
  connection: ClientConnection,
  { row, table }: Call,
  { begin, place, stop }: { readonly begin: number; readonly place: CheckPlace; readonly stop: AbortSignal }
): Promise<Arrival> {
  const others: Row[] = []
  for await (const change of connection.changes(stop)) {
    // What arrived before the call did not come by it.
    if (change.at < begin) continue
    const rows = rowsOf(change, place)
    const found = table === undefined || table === change.table ? rows.find((one) => isLike(row, one)) : undefined
    if (found !== undefined) return { kind: 'arrived', row: found, milliseconds: change.at - begin }
    others.push(...rows)
  }
  return { kind: 'missing', others }
}

function rowsOf({ table, inserts }: TableChange, { schema }: CheckPlace): Row[] {
  const shape = shapeOf(table, inserts, schema)
  return inserts.map((values) => ({ shape, values }))
}

function findingOf({ row, table, within }: Call, arrival: Arrival): Finding {
  const of = table === undefined ? '' : ` of "${table}"`
  const expected = `a row ${expectedRowText(row)}${of} within ${inUnits(within)} of the call`
  if (arrival.kind === 'missing') {
    const { others } = arrival
    const actual =
      others.length === 0 ? 'none' : `${countText(others.length)} otherwise${shownRows(others, Object.keys(row))}`
    return { kind: 'failed', expected, actual }
  }
  const text = `${rowText(arrival.row, Object.keys(row))} ${timeText(arrival.milliseconds)} after the call`
  return arrival.milliseconds > within ? { kind: 'failed', expected, actual: text } : { kind: 'passed', detail: text }
}
