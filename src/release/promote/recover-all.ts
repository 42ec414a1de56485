import type { ModuleHash } from '../../module/hash.ts'
import type { Identity } from '../../spacetimedb/identity.ts'
import type { Checkpoint } from '../checkpoint.ts'
import type { Ending } from '../deployment.ts'
import type { PromotionLeft } from './progress.ts'
import { endedOtherwise, type NotBegun, type Promoted, type Promotion } from './promotion.ts'

/** What a promotion came to in the end, and which databases were finished or undone only now. */
export type RecoveredPromotion = Promotion & { readonly recovered: readonly string[] }

/** Whether a database was under way when a promotion ended, or its end is not known. */
export function hasUnsettled({ begun }: PromotionLeft): boolean {
  return [...begun.values()].some(({ checkpoint }) => isUnsettled(checkpoint))
}

/**
 * Finishes or undoes what a promotion had under way when it was cut off, all of it at the same time. `recoverOne` does so
 * for one database, never throws, and answers nothing when there is nothing to add.
 */
export async function recoverAll(
  left: PromotionLeft,
  recoverOne: (checkpoint: Checkpoint) => Promise<Ending | undefined>
): Promise<RecoveredPromotion> {
  const { server, isDryRun } = left
  const recovered: string[] = []
  const databases = await Promise.all(
    left.databases.map(async (database): Promise<Promoted | NotBegun> => {
      const { checkpoint, promoted } = left.begun.get(database) ?? {}
      const ending = isUnsettled(checkpoint) ? await recoverOne(checkpoint) : undefined
      if (checkpoint === undefined || ending === undefined) return promoted ?? { database, result: 'not-begun' }
      recovered.push(database)
      return endedOtherwise(promoted ?? cutOff(database, checkpoint), ending)
    })
  )
  const about = { server, identity: left.identity as Identity, moduleHash: left.moduleHash as ModuleHash, isDryRun }
  const isWhole = databases.every(({ result }) => result !== 'not-begun')
  return { ...about, databases, ...(!isWhole && { stop: { kind: 'cancelled' } }), plans: [], recovered }
}

function isUnsettled(checkpoint: Checkpoint | undefined): checkpoint is Checkpoint {
  return checkpoint !== undefined && checkpoint.phase !== 'settled'
}

function cutOff(database: string, { previous, wayBack }: Checkpoint): Omit<Promoted, 'result' | 'live'> {
  return {
    database,
    ...(previous && { before: previous.hash }),
    ...(wayBack && { wayBack }),
    isChecked: false,
    milliseconds: 0
  }
}
