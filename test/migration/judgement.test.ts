import { describe, expect, test } from '@jest/globals'
import { type ChangeDraft, makeChange, type ServerTreatment } from '../../src/migration/change.ts'
import { judge, type UsablePlan } from '../../src/migration/judgement.ts'
import type { Verdict } from '../../src/migration/verdict.ts'

const manual: UsablePlan = { kind: 'manual', reason: 'no', majorVersionUpgrade: false }
const breaking: UsablePlan = automatic(true)
const gentle: UsablePlan = automatic(false)

function automatic(breaksClients: boolean): UsablePlan {
  return { kind: 'automatic', text: '', breaksClients, token: '0x1', majorVersionUpgrade: false }
}

function change(verdict: Verdict, atServer: ServerTreatment, more: Partial<ChangeDraft> = {}) {
  const subject = { kind: 'table', name: 'audit' } as const
  return makeChange({ kind: 'table-removed', subject, what: 'it changes', verdict, atServer, ...more } as ChangeDraft)
}

describe('the judgement of server and us', () => {
  test.each<readonly [string, ReturnType<typeof change>[], UsablePlan, Verdict, boolean]>([
    ['nothing changes', [], gentle, 'none', false],
    [
      'only we see a break, where the server does not look',
      [change('breaks-clients', 'ignored')],
      gentle,
      'breaks-clients',
      false
    ],
    ['only we know that it will fail', [change('manual', 'fails')], gentle, 'manual', false],
    ['both see the break', [change('breaks-clients', 'disconnects')], breaking, 'breaks-clients', false],
    ['both see that it is impossible', [change('manual', 'refused')], manual, 'manual', false],
    ['the server alone disconnects', [change('compatible', 'planned')], breaking, 'breaks-clients', true],
    ['the server alone refuses', [change('compatible', 'planned')], manual, 'manual', true],
    ['the server does what we thought it refuses', [change('manual', 'refused')], gentle, 'manual', true],
    [
      'the server leaves alone whom we thought it disconnects',
      [change('breaks-clients', 'disconnects')],
      gentle,
      'breaks-clients',
      true
    ]
  ])('%s', (_name, changes, plan, verdict, isDisagreement) => {
    const judgement = judge(changes, plan)
    expect(judgement.verdict).toBe(verdict)
    expect(judgement.disagreement !== undefined).toBe(isDisagreement)
    if (isDisagreement) expect(judgement.disagreement).toMatch(/report/)
  })

  test('without the server our word counts', () => {
    expect(judge([change('breaks-clients', 'disconnects')])).toEqual({ verdict: 'breaks-clients', conditions: [] })
  })

  test('conditions are named once', () => {
    const conditions = [{ kind: 'table-empty', table: 'audit' }] as const
    const changes = [
      change('breaks-clients', 'disconnects', { conditions }),
      change('compatible', 'planned', { conditions })
    ]
    expect(judge(changes, breaking).conditions).toEqual(conditions)
  })
})
