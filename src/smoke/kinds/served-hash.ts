import type { RunCheck } from '../place.ts'
import { noExpectedHash } from '../preflight.ts'
import { serverFor, withinTry } from './within-try.ts'

/** The database runs the module that it should. */
export const runServedHash: RunCheck<'served-hash'> = (check, place, attempt) =>
  withinTry(place, attempt, async () => {
    const wanted = check.wanted['served-hash']
    const expected = wanted === true ? place.expectedHash : wanted.toLowerCase()
    if (expected === undefined) return { kind: 'not-run', reason: noExpectedHash, final: true }
    const { hash } = await serverFor(check, place).live(place.database)
    if (hash === expected) return { kind: 'passed', detail: `module ${hash}` }
    return { kind: 'failed', expected: `module ${expected}`, actual: `module ${hash}` }
  })
