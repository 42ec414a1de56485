import type { Schema } from '../../src/module/schema.ts'
import type { CheckOptions } from '../../src/rehearsal/rehearsal.ts'
import type { Check, Checks } from '../../src/smoke/check.ts'
import type { CheckReport, Outcome, SmokeReport } from '../../src/smoke/check-report.ts'
import { checksSchema } from '../../src/smoke/checks-schema.ts'
import type { CheckPlace } from '../../src/smoke/place.ts'

/** The served hash, and `health_check` where there is one. */
export function defaultChecks({ reducers }: Schema): Checks {
  const isHealthKnown = reducers.some(({ name }) => name === 'health_check')
  return checksOf([{ 'served-hash': true }, ...(isHealthKnown ? [{ reducer: 'health_check' }] : [])])
}

/** Checks as a file has them, of the kinds that this runner knows: `served-hash`, `reducer`, `sql` with `value`. */
export function checksOf(written: readonly object[]): Checks {
  const { checks } = checksSchema.parse({ checks: written })
  return {
    deadline: 60_000,
    checks: checks.map((wanted): Check => {
      const about = { name: Object.values(wanted).join(' '), origin: { kind: 'default' }, needs: [] } as const
      if ('served-hash' in wanted) return { ...about, name: 'served hash', kind: 'served-hash', writes: false, wanted }
      if ('reducer' in wanted) return { ...about, name: wanted.reducer, kind: 'reducer', writes: false, wanted }
      if ('sql' in wanted) return { ...about, name: wanted.sql, kind: 'sql', writes: false, wanted }
      throw new Error('a check that this runner does not know')
    })
  }
}

/** Runs checks one after the other, against the server. */
export async function runChecks(checks: Checks, place: CheckPlace, { onReport }: CheckOptions): Promise<SmokeReport> {
  const reports: CheckReport[] = []
  for (const check of checks.checks) {
    const outcome = await outcomeOf(check, place)
    const report = { check, outcome, milliseconds: 1, tries: 1, logLines: [], byHand: undefined }
    onReport?.(report)
    reports.push(report)
  }
  const { server, database, expectedHash: moduleHash } = place
  return { server: server.url, database, moduleHash, startedAt: 0, milliseconds: 1, reports }
}

async function outcomeOf(check: Check, { server, database, expectedHash }: CheckPlace): Promise<Outcome> {
  const judged = (isGood: boolean, expected: string, actual: string): Outcome =>
    isGood ? { kind: 'passed', detail: actual } : { kind: 'failed', expected, actual }
  if (check.kind === 'served-hash') {
    const { hash } = await server.live(database)
    return judged(hash === expectedHash, `${expectedHash}`, hash)
  }
  if (check.kind === 'reducer') {
    const answer = await server.call(database, check.wanted.reducer, check.wanted.args)
    return judged(answer.kind === 'ok', 'ok', answer.kind === 'ok' ? 'ok' : answer.reason)
  }
  if (check.kind !== 'sql') throw new Error('a check that this runner does not know')
  const answer = await server.sql(database, check.wanted.sql)
  const found = answer.kind === 'rows' ? answer.rows[0]?.[0] : answer.reason
  return judged(found === check.wanted.value, `${check.wanted.value}`, `${found}`)
}
