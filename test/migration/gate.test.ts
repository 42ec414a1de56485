import { describe, expect, test } from '@jest/globals'
import { type Change, makeChange } from '../../src/migration/change.ts'
import { type GateAnswer, type GateRequest, gate } from '../../src/migration/gate.ts'
import { type Reversible, type Verdict, verdicts } from '../../src/migration/verdict.ts'

const booleans = [false, true] as const
const reversibles: readonly Reversible[] = ['yes', 'conditional', 'no']

type Case = {
  readonly verdict: Verdict
  readonly reversible: Reversible
  readonly allowBreakingClients: boolean
  readonly allowIrreversible: boolean
  readonly reportOnly: boolean
}

const cases: readonly Case[] = verdicts.flatMap((verdict) =>
  reversibles.flatMap((reversible) =>
    booleans.flatMap((allowBreakingClients) =>
      booleans.flatMap((allowIrreversible) =>
        booleans.map((reportOnly) => ({ verdict, reversible, allowBreakingClients, allowIrreversible, reportOnly }))
      )
    )
  )
)

const reducerRemoved = makeChange({
  kind: 'reducer-removed',
  subject: { kind: 'reducer', name: 'craft' },
  what: 'reducer is removed',
  verdict: 'breaks-clients',
  atServer: 'ignored'
})

const columnRemoved = makeChange({
  kind: 'column-removed',
  subject: { kind: 'table', name: 'stall' },
  column: 'fee',
  what: 'column fee is removed',
  verdict: 'manual',
  atServer: 'refused'
})

function requestOf(item: Case, more: Partial<GateRequest> = {}): GateRequest {
  const changes = { none: [], compatible: [], 'breaks-clients': [reducerRemoved], manual: [columnRemoved] }[
    item.verdict
  ]
  const conditions = item.reversible === 'conditional' ? [{ kind: 'table-empty', table: 'audit' } as const] : []
  const blockers: readonly Change[] = item.reversible === 'no' ? [columnRemoved] : []
  return { ...item, changes, wayBack: { reversible: item.reversible, conditions, blockers }, ...more }
}

function textsOf(answer: GateAnswer): string {
  return (answer.allowed ? answer.warnings : answer.reasons).join('\n')
}

describe('the gate', () => {
  test.each(cases)(
    '$verdict, reversible: $reversible, allowed: $allowBreakingClients $allowIrreversible, report only: $reportOnly',
    (item) => {
      const answer = gate(requestOf(item))
      const isBreaking = item.verdict === 'breaks-clients' && !item.allowBreakingClients
      const isIrreversible = item.verdict !== 'manual' && item.reversible === 'no' && !item.allowIrreversible
      const isObjectedTo = isBreaking || isIrreversible
      expect(answer.allowed).toBe(item.verdict !== 'manual' && (item.reportOnly || !isObjectedTo))
      const text = textsOf(answer)
      expect(text.includes('allow-breaking-clients: true')).toBe(isBreaking)
      expect(text.includes('allow-irreversible: true')).toBe(isIrreversible)
      expect(text.includes('reducer craft: reducer is removed')).toBe(isBreaking)
      if (isIrreversible || item.verdict === 'manual') expect(text).toContain('table stall: column fee is removed')
      if (item.reversible === 'conditional' && answer.allowed) expect(text).toContain('table audit is empty')
      if (!answer.allowed) expect(answer.reasons.length).toBeGreaterThan(0)
    }
  )

  const breaking: Case = {
    verdict: 'breaks-clients',
    reversible: 'no',
    allowBreakingClients: false,
    allowIrreversible: false,
    reportOnly: false
  }

  test('what was acknowledged by its id is let through', () => {
    const acknowledged = [reducerRemoved.id, columnRemoved.id]
    expect(gate(requestOf(breaking, { acknowledged })).allowed).toBe(true)
  })

  test('what was acknowledged of another change is not', () => {
    const other = makeChange({ ...reducerRemoved, before: '(label: String)' })
    expect(gate(requestOf(breaking, { acknowledged: [other.id, columnRemoved.id] })).allowed).toBe(false)
  })

  test('what is impossible stays so when it was acknowledged', () => {
    const impossible = { ...breaking, verdict: 'manual' as const }
    expect(gate(requestOf(impossible, { acknowledged: [columnRemoved.id] })).allowed).toBe(false)
  })

  test('what a rollback is refused for is told of what is live, not of what comes', () => {
    const refused = textsOf(gate(requestOf(breaking, { isRollback: true })))
    expect(refused).toMatch(
      /What is live now could not be published again afterwards: .*table stall: column fee is removed/
    )
    const impossible = textsOf(gate(requestOf({ ...breaking, verdict: 'manual' }, { isRollback: true })))
    expect(impossible).toMatch(/can't take the database back in place: table stall: column fee is removed/)
    const allowed = { ...breaking, allowBreakingClients: true, allowIrreversible: true }
    for (const reversible of ['no', 'conditional'] as const) {
      const text = textsOf(gate(requestOf({ ...allowed, reversible }, { isRollback: true })))
      expect(text).toMatch(/^What is live now can/)
      expect(text).not.toMatch(/release|rolled back/)
    }
  })

  test("a break that only the server's plan tells of is refused too", () => {
    const answer = gate(requestOf({ ...breaking, allowIrreversible: true }, { changes: [] }))
    expect(answer.allowed).toBe(false)
    expect(textsOf(answer)).toContain('the server says that it disconnects them')
  })
})

describe('agreeing to single changes', () => {
  const breaking = {
    verdict: 'breaks-clients',
    reversible: 'yes',
    allowBreakingClients: false,
    allowIrreversible: false,
    reportOnly: false
  } as const

  test('is asked for by their ids', () => {
    expect(textsOf(gate(requestOf(breaking)))).toContain(`acknowledge: ${reducerRemoved.id}`)
  })

  test('is not to agree to what the server says and no change explains', () => {
    const acknowledged = [reducerRemoved.id]
    expect(gate(requestOf(breaking, { acknowledged })).allowed).toBe(true)
    const disagreement = 'The server disconnects all clients.'
    expect(gate(requestOf(breaking, { acknowledged, disagreement })).allowed).toBe(false)
  })

  test('names ids that no change has', () => {
    const acknowledged = ['reducer-removed-000000000000']
    expect(textsOf(gate(requestOf(breaking, { acknowledged })))).toContain('reducer-removed-000000000000')
    const both = gate(requestOf(breaking, { acknowledged: [...acknowledged, reducerRemoved.id] }))
    expect(both.allowed).toBe(true)
    expect(textsOf(both)).toContain('what was agreed to is not what changes')
  })
})
