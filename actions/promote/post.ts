import { warn } from '../../src/action/annotations.ts'
import { openConnection } from '../../src/action/connection.ts'
import type { Environment } from '../../src/action/inputs.ts'
import { log } from '../../src/action/log.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { systemClock } from '../../src/clock.ts'
import { messageOf } from '../../src/errors.ts'
import { loadModule } from '../../src/module/load.ts'
import type { Checkpoint } from '../../src/release/checkpoint.ts'
import type { Ending } from '../../src/release/deployment.ts'
import { endCutOff, isUnwritten } from '../../src/release/ledger/end-cut-off.ts'
import { endShared } from '../../src/release/promote/end-shared.ts'
import { type PromotionLeft, readProgress } from '../../src/release/promote/progress.ts'
import { wasBegun } from '../../src/release/promote/promotion.ts'
import { hasUnsettled, type RecoveredPromotion, recoverAll } from '../../src/release/promote/recover-all.ts'
import { renderRecoveredPromotion } from '../../src/release/promote/summary.ts'
import { recover } from '../../src/release/recover.ts'
import { keepSavedModule } from '../keep-module.ts'
import { openLedger } from '../ledger.ts'
import { failureOfPromotion } from './report.ts'
import type { spec } from './spec.ts'
import { progressFolder } from './state.ts'

/** Finishes or undoes what was under way when the main step was cut off, and says what became of all databases. */
export async function post(
  inputs: Inputs<typeof spec>,
  { environment }: Step<typeof spec>
): Promise<Outcome<typeof spec>> {
  const state = progressFolder.read(environment)
  const left = state && (await readProgress(state.folder))
  if (left === undefined || (state?.isOver && !isToBeFinished(left))) {
    log('Nothing was cut off.')
    return { outputs: {} }
  }
  const promotion = await recoverAll(left, await recovering(inputs, environment))
  await writeEndDown(inputs, left, promotion, environment)
  if (state?.isOver && promotion.recovered.length === 0) {
    log('There is nothing to add to what was said of the promotion.')
    return { outputs: {} }
  }
  await writeSummary(renderRecoveredPromotion(promotion), environment)
  return { outputs: {}, ...failureOfPromotion(promotion) }
}

/** Whether a database was left in the middle, or the end of a release that is of one alone is not in the ledger. */
function isToBeFinished(left: PromotionLeft): boolean {
  const { databases, begun } = left
  return hasUnsettled(left) || (databases.length === 1 && [...begun.values()].some(isUnwrittenIn))
}

function isUnwrittenIn({ checkpoint }: { readonly checkpoint?: Checkpoint | undefined }): boolean {
  return checkpoint !== undefined && isUnwritten(checkpoint)
}

/** The main step wrote it down where it came to its end; what was found out since is known better. */
async function writeEndDown(
  inputs: Inputs<typeof spec>,
  { databases, releases, begun }: PromotionLeft,
  promotion: RecoveredPromotion,
  environment: Environment
): Promise<void> {
  const [database = ''] = databases
  const ledger = await openLedger(inputs, database, environment)
  if (ledger === undefined) return
  await keepReplaced(begun, environment)
  const cancelled = new AbortController().signal
  const clock = systemClock
  const alone = databases.length === 1 ? begun.get(database)?.checkpoint : undefined
  const ending = promotion.recovered.length > 0 ? promotion.databases.find(wasBegun) : undefined
  const answer = alone
    ? await endCutOff(ledger, alone, ending, { action: 'promote', clock })
    : await endShared(ledger, releases, promotion.databases, { clock, cancelled })
  if (answer?.kind === 'failed') warn('promote', `How the release ended could not be written down: ${answer.reason}`)
}

/** For a later rollback; the main step did so for each database that was over. */
async function keepReplaced(begun: PromotionLeft['begun'], environment: Environment): Promise<void> {
  const left = [...begun.values()].flatMap(({ checkpoint, promoted }) =>
    promoted === undefined && checkpoint?.releaseId !== undefined ? (checkpoint.previous ?? []) : []
  )
  const replaced = new Map(left.map(({ hash, path }) => [hash, path]))
  for (const [hash, path] of replaced) await keepSavedModule(path, hash, environment)
}

/** Whatever stands in the way, the reader is told in which state the databases may be. */
async function recovering(
  inputs: Inputs<typeof spec>,
  environment: Environment
): Promise<(checkpoint: Checkpoint) => Promise<Ending | undefined>> {
  try {
    const { server } = await openConnection(inputs, environment)
    return (checkpoint) => recover(server, checkpoint, loadModule, systemClock)
  } catch (error) {
    const reason = messageOf(error)
    return async () => ({ result: 'unknown', live: { kind: 'unknown' }, reason })
  }
}
