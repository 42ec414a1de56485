import type { Schema } from '../module/schema.ts'
import { diffSchemas } from './diff.ts'
import { judge, type MigrationJudgement, type UsablePlan } from './judgement.ts'
import { judgeWayBack, type WayBack } from './way-back.ts'

/** What is known of a release before it is judged. */
export type Known = {
  readonly before: Schema
  readonly after: Schema
  /** Whether the bytes of the module that would be replaced are at hand. */
  readonly canGoBack: boolean
  /** Missing when the server was not asked. */
  readonly serverPlan?: UsablePlan | undefined
}

/** Judges a release, there and back. */
export function judgeSchemas({ before, after, canGoBack, serverPlan }: Known): MigrationJudgement {
  const changes = diffSchemas(before, after)
  const wayBack = canGoBack ? judgeWayBack(before, after) : noWayBack
  return { ...judge(changes, serverPlan), changes, wayBack, ...(serverPlan && { serverPlan }) }
}

const noWayBack: WayBack = { reversible: 'no', conditions: [], blockers: [], changes: [] }
