import type { ServerPlan } from '../spacetimedb/server.ts'
import type { Change } from './change.ts'
import { distinctConditions } from './condition.ts'
import { verdictOf } from './diff.ts'
import { type Condition, type Verdict, worst } from './verdict.ts'
import type { WayBack } from './way-back.ts'

/** What the server and we say of a release, together. */
export type Judgement = {
  /** The worse of both. */
  readonly verdict: Verdict
  /** What must hold of the data for the server to be able to publish. */
  readonly conditions: readonly Condition[]
  /** Where the server's plan isn't what our changes let expect, for the reader: one of the two is wrong. */
  readonly disagreement?: string
}

/** What a release does to a database and its clients, and whether it can be taken back. */
export type MigrationJudgement = Judgement & {
  readonly changes: readonly Change[]
  readonly wayBack: WayBack
  /** Missing when the server was not asked. */
  readonly serverPlan?: UsablePlan
}

/** A plan of the server for a module that it could load. */
export type UsablePlan = Exclude<ServerPlan, { kind: 'bad-module' }>

/**
 * Combines our changes with the server's plan, where there is one. The plan knows nothing of what can be called, or
 * of what only fails when it is carried out: saying nothing about that is no disagreement.
 */
export function judge(changes: readonly Change[], plan?: UsablePlan): Judgement {
  const own = verdictOf(changes)
  const conditions = distinctConditions(changes.flatMap((change) => change.conditions))
  if (plan === undefined) return { verdict: own, conditions }
  const verdict = worst(own, verdictOfPlan(plan))
  const expected = expectedAnswer(changes)
  const actual = answerOf(plan)
  if (expected === actual) return { verdict, conditions }
  return { verdict, conditions, disagreement: disagreementText(expected, actual) }
}

/** What the server says of itself, at least. */
function verdictOfPlan(plan: UsablePlan): Verdict {
  if (plan.kind === 'manual') return 'manual'
  return plan.breaksClients ? 'breaks-clients' : 'none'
}

type ServerAnswer = keyof typeof answerTexts

const answerTexts = {
  refuses: "the migration can't be done automatically",
  disconnects: 'it can, and disconnects all clients',
  migrates: 'it can, and leaves clients connected'
} as const

/** What the server should say of these changes. */
function expectedAnswer(changes: readonly Change[]): ServerAnswer {
  const treatments = new Set(changes.map((change) => change.atServer))
  return treatments.has('refused') ? 'refuses' : treatments.has('disconnects') ? 'disconnects' : 'migrates'
}

function answerOf(plan: UsablePlan): ServerAnswer {
  if (plan.kind === 'manual') return 'refuses'
  return plan.breaksClients ? 'disconnects' : 'migrates'
}

function disagreementText(expected: ServerAnswer, actual: ServerAnswer): string {
  return (
    `The server's plan is not what the difference of the two schemas leads to. The server says: ` +
    `${answerTexts[actual]}; expected was: ${answerTexts[expected]}. The worse of both counts. ` +
    "Please report this with the server's version and the plan: one of the two is wrong."
  )
}
