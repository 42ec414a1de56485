import type { ModuleHash } from '../module/hash.ts'
import { version } from '../version.ts'
import type { MigrationJudgement } from './judgement.ts'
import type { Plan } from './plan-file.ts'

/** What a plan is made of. */
export type Planned = {
  /** The database that it is for; none when two modules were compared. */
  readonly target?: Plan['target']
  readonly exists: boolean
  readonly base?: string | undefined
  readonly previousHash?: ModuleHash | undefined
  readonly moduleHash: ModuleHash
  /** None when there is nothing to compare with: a first release, or the very same module. */
  readonly judgement?: MigrationJudgement | undefined
  readonly origin: NonNullable<Plan['metadata']>
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** The plan that says what was found out. */
export function makePlan({ target, base, previousHash, moduleHash, exists, judgement, origin, now }: Planned): Plan {
  return {
    tool: `stdb-actions ${version}`,
    createdAt: new Date(now).toISOString(),
    ...(target && { target }),
    exists,
    ...(base !== undefined && { base }),
    ...(previousHash && { previousHash }),
    moduleHash,
    ...(judgement ? partsOf(judgement) : nothingChanges(exists)),
    metadata: origin
  }
}

function partsOf({ wayBack, ...judged }: MigrationJudgement) {
  const { reversible, conditions, blockers } = wayBack
  return { ...judged, wayBack: { reversible, conditions, blockers } }
}

function nothingChanges(exists: boolean) {
  const wayBack = { reversible: 'yes', conditions: [], blockers: [] } as const
  return { verdict: 'none', conditions: [], changes: [], ...(exists && { wayBack }) } as const
}
