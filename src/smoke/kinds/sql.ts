import { inUnits } from '../../duration.ts'
import type { SqlAnswer } from '../../spacetimedb/server.ts'
import { isSelect } from '../../spacetimedb/sql-answer.ts'
import type { Check } from '../check.ts'
import type { Finding } from '../check-report.ts'
import { compareRows, countText, type Shape } from '../comparison.ts'
import type { Attempt, CheckPlace, RunCheck } from '../place.ts'
import { findingOfRows, refusedQuery } from './rows-finding.ts'
import { serverFor, withinTry } from './within-try.ts'

/** Runs a statement; its rows are as they should be, at once or, with `eventually`, after a while. */
export const runSql: RunCheck<'sql'> = (check, place, attempt) => {
  const { sql, eventually } = check.wanted
  if (eventually === undefined) return withinTry(place, attempt, () => ask(check, place, attempt.timeout))
  if (!isSelect(sql)) return Promise.resolve({ kind: 'not-run', reason: writesOnce, final: true })
  let last: Finding | undefined
  const note = (finding: Finding) => {
    last = withTime(finding, eventually, attempt.timeout)
    return last
  }
  return withinTry(
    place,
    attempt,
    () => askUntilItHolds(check, place, attempt, note),
    () => last
  )
}

const writesOnce = '`eventually` is for a `SELECT`: a statement that writes is sent once.'

async function ask(check: Check<'sql'>, place: CheckPlace, timeout: number): Promise<Finding> {
  const answer = await serverFor(check, place).sql(place.database, check.wanted.sql, timeout)
  return judge(check, answer)
}

/** The last finding when the time is over. It is asked once at least, however short that is. */
async function askUntilItHolds(
  check: Check<'sql'>,
  place: CheckPlace,
  attempt: Attempt,
  note: (finding: Finding) => Finding
): Promise<Finding> {
  const { clock } = place
  const begin = clock.now()
  const longest = Math.min(check.wanted.eventually ?? 0, attempt.timeout)
  for (let pause = 50; ; pause = Math.min(pause * 2, 1000)) {
    const finding = note(await ask(check, place, Math.max(1, attempt.timeout - (clock.now() - begin))))
    const left = longest - (clock.now() - begin)
    if (finding.kind !== 'failed' || left <= 0 || attempt.signal.aborted) return finding
    await clock.sleep(Math.min(pause, left), attempt.signal)
  }
}

function withTime(finding: Finding, eventually: number, timeout: number): Finding {
  if (finding.kind !== 'failed') return finding
  const time = eventually <= timeout ? inUnits(eventually) : `${inUnits(timeout)} (the check's \`timeout\`)`
  return { ...finding, expected: `${finding.expected}, within ${time}` }
}

function judge(check: Check<'sql'>, answer: SqlAnswer): Finding {
  const { wanted } = check
  if (answer.kind === 'rejected') return rejected(check, answer.reason)
  const shape: Shape = {
    columns: answer.columns.map((name, at) => ({ name, type: answer.types[at] })),
    typespace: []
  }
  const rows = answer.rows.map((values) => ({ shape, values }))
  return findingOfRows(compareRows(wanted, { shapes: [shape], rows }), doneText(answer))
}

function rejected({ wanted }: Check<'sql'>, reason: string): Finding {
  if (isSelect(wanted.sql)) return refusedQuery('statement', reason, wanted.as)
  return { kind: 'failed', expected: 'a statement that is carried out', actual: reason, final: true }
}

function doneText({ rows, columns, stats }: Extract<SqlAnswer, { kind: 'rows' }>): string {
  if (columns.length > 0) return countText(rows.length)
  return `${stats.inserted} inserted, ${stats.updated} updated, ${stats.deleted} deleted`
}
