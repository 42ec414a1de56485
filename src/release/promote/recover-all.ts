import type { Clock } from '../../clock.ts'
import type { ModuleHash } from '../../module/hash.ts'
import type { Module } from '../../module/module.ts'
import type { Identity } from '../../spacetimedb/identity.ts'
import type { Server } from '../../spacetimedb/server.ts'
import type { Checkpoint } from '../checkpoint.ts'
import { recover } from '../recover.ts'
import type { PromotionLeft } from './progress.ts'
import { endedOtherwise, type NotBegun, type Promoted, type Promotion } from './promotion.ts'

/** What a promotion came to in the end, and which databases were finished or undone only now. */
export type RecoveredPromotion = Promotion & { readonly recovered: readonly string[] }

/**
 * Finishes or undoes what a promotion had under way when it was cut off, all of it at the same time. Never throws. `load`
 * reads a module from a file.
 */
export async function recoverAll(
  server: Server,
  left: PromotionLeft,
  load: (path: string) => Promise<Module>,
  clock: Clock
): Promise<RecoveredPromotion> {
  const recovered: string[] = []
  const databases = await Promise.all(
    left.databases.map(async (database): Promise<Promoted | NotBegun> => {
      const { checkpoint, promoted } = left.begun.get(database) ?? {}
      if (checkpoint === undefined || checkpoint.phase === 'settled')
        return promoted ?? { database, result: 'not-begun' }
      const ending = await recover(server, checkpoint, load, clock)
      if (ending === undefined) return promoted ?? { database, result: 'not-begun' }
      recovered.push(database)
      return endedOtherwise(promoted ?? cutOff(database, checkpoint), ending)
    })
  )
  const { server: url, isDryRun } = left
  const about = {
    server: url,
    identity: left.identity as Identity,
    moduleHash: left.moduleHash as ModuleHash,
    isDryRun
  }
  const isWhole = databases.every(({ result }) => result !== 'not-begun')
  return { ...about, databases, ...(!isWhole && { stop: { kind: 'cancelled' } }), plans: [], recovered }
}

function cutOff(database: string, { previous, wayBack }: Checkpoint): Omit<Promoted, 'result' | 'live'> {
  return { database, ...(previous && { before: previous.hash }), ...(wayBack && { wayBack }), milliseconds: 0 }
}
