import type { Schema } from '../module/schema.ts'
import type { Change } from './change.ts'
import { distinctConditions } from './condition.ts'
import { diffSchemas } from './diff.ts'
import type { Condition, Reversible } from './verdict.ts'

/** Whether a release can be taken back, and what would happen. */
export type WayBack = {
  readonly reversible: Reversible
  /** What must hold of the data when going back. */
  readonly conditions: readonly Condition[]
  /** The changes back that the server can't do in place. */
  readonly blockers: readonly Change[]
  /** All that going back changes. */
  readonly changes: readonly Change[]
}

/**
 * Judges, offline and before anything is published, whether the module that is live could be published over the next
 * one again. That going back disconnects clients or takes new things from them doesn't stand in the way. What this
 * code can't read might.
 */
export function judgeWayBack(live: Schema, next: Schema): WayBack {
  const changes = diffSchemas(next, live)
  const blockers = changes.filter((change) => change.verdict === 'manual' || change.kind === 'unknown-parts')
  const conditions = distinctConditions(changes.flatMap((change) => change.conditions))
  const reversible = blockers.length > 0 ? 'no' : conditions.length > 0 ? 'conditional' : 'yes'
  return { reversible, conditions, blockers, changes }
}
