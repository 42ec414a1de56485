import { ConfigurationError, messageOf } from '../errors.ts'
import { changeText } from '../migration/change.ts'
import { gate } from '../migration/gate.ts'
import type { Schema } from '../module/schema.ts'
import type { Identity } from '../spacetimedb/identity.ts'
import { objectionsToCreating } from './approved.ts'
import { unfitData } from './data.ts'
import type { Ending, LiveState } from './deployment.ts'
import { objectionsOfLedger } from './drift.ts'
import { captureAndJudge, describeNext } from './judge.ts'
import type { UpdateOutcome } from './publish.ts'
import { targetOf } from './target.ts'
import { undertakingOf } from './undertaking.ts'
import type { Previous, Work } from './work.ts'

/** What is to be done, when everything that changes nothing has been done. */
export type Ready =
  | { readonly kind: 'ended'; readonly ending: Ending }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'create' }
  | { readonly kind: 'update'; readonly previous: Previous | undefined; readonly token: string }
  /** Something else is live by now than what was found so before. */
  | Extract<UpdateOutcome, { kind: 'overtaken' }>

/** Everything before the first change: whatever fails here has changed nothing. Never throws. */
export async function prepare(work: Work): Promise<Ready> {
  try {
    return await Promise.race([getReady(work), cancellation(work.tools.cancelled)])
  } catch (error) {
    const isConfiguration = error instanceof ConfigurationError
    return ended({ result: 'failed', live: untouched(work), reason: messageOf(error), isConfiguration })
  }
}

/** Rejects when the job is cancelled: whatever is under way by then changes nothing. */
export function cancellation(cancelled: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const cancel = () => reject(new Error('The job was cancelled before anything was changed.'))
    if (cancelled.aborted) cancel()
    cancelled.addEventListener('abort', cancel, { once: true })
  })
}

async function getReady(work: Work): Promise<Ready> {
  const { request, tools, journal, findings } = work
  const described = tools.describe(request.module)
  described.catch(() => {})
  const target = await journal.step('Find the database', async (step) => {
    const resolution = await tools.server.resolve(request.database)
    findings.exists = resolution.kind === 'exists'
    const target = targetOf(resolution, { ...request, server: tools.server.url, identity: tools.identity })
    step.detail(target.kind === 'existing' ? target.identity : 'not there yet: it will be created')
    return target
  })
  if (target.kind === 'new') {
    if (target.claimed && !request.isClaimExpected) {
      journal.warn(
        `The name "${request.database}" is claimed on ${tools.server.url} but holds no database: it was deleted, or ` +
          'its first publish failed, perhaps somebody else’s. Creating it takes the name.'
      )
    }
    await describeNext(work, described)
    const objections = objectionsToFirst(work)
    if (objections.length > 0)
      return ended({ result: 'refused', live: { kind: 'none' }, reason: objections.join('\n') })
    return request.dryRun ? ended({ result: 'planned', live: { kind: 'none' } }) : { kind: 'create' }
  }
  findings.databaseIdentity = target.identity
  work.recorder?.lookUp()
  return readyUpdate(work, target.identity, described)
}

function objectionsToFirst({ request, tools }: Work): string[] {
  const { approved, database, module } = request
  if (approved === undefined) return []
  const situation = { server: tools.server.url, database, module: module.hash, now: tools.clock.now() }
  return objectionsToCreating(approved, situation)
}

async function readyUpdate(work: Work, database: Identity, described: Promise<Schema>): Promise<Ready> {
  const { request, journal, findings } = work
  const judged = await captureAndJudge(work, database, described)
  const { previousHash } = findings
  if (judged.kind !== 'unchanged' && request.foundLive !== undefined && request.foundLive !== previousHash) {
    const live = { kind: 'other', ...(previousHash && { hash: previousHash }) } as const
    return { kind: 'overtaken', live, applied: false }
  }
  const drifted = await objectionsOfLedger(work, previousHash)
  if (judged.kind === 'unchanged') {
    if (drifted.length > 0) return ended({ ...unchanged, result: 'refused', reason: drifted.join('\n'), isDrift: true })
    return request.dryRun ? ended(unchanged) : { kind: 'unchanged' }
  }
  if (judged.kind === 'not-as-approved') {
    return ended({ result: 'refused', live: { kind: 'previous' }, reason: judged.reason, isPlanStale: true })
  }

  const { judgement, previous } = judged
  const { serverPlan } = judgement
  for (const change of judgement.changes) journal.tell(`    ${change.verdict}: ${changeText(change)}`)
  const isRollback = undertakingOf(request.notes) === 'rollback'
  const decision = gate({ ...judgement, ...request, isRollback })
  const live = { kind: 'previous' } as const
  const objections = [...drifted, ...(decision.allowed ? [] : decision.reasons)]
  if (!decision.allowed || drifted.length > 0) {
    // Whoever only asks wants to know all that stands in the way.
    const unfit = request.dryRun && judgement.verdict !== 'manual' ? await unfitData(work) : undefined
    const reason = [...objections, ...(unfit?.reason ? [unfit.reason] : [])].join('\n')
    return ended({ ...unfit, result: 'refused', live, reason, isDrift: drifted.length > 0 })
  }
  for (const warning of decision.warnings) journal.warn(warning)
  if (!isRollback && request.checks?.soak !== undefined && judgement.wayBack.reversible === 'conditional')
    journal.warn(soakWarning)
  // Steps before the publish may well be there to make the data fit.
  const fitsLater = request.steps !== undefined && request.steps.before.length > 0
  const unfit = fitsLater ? undefined : await unfitData(work)
  if (unfit) return ended(unfit)
  if (request.dryRun) return ended({ result: 'planned', live })
  if (serverPlan.kind !== 'automatic') throw new Error('The server has no plan that could be carried out.')
  return { kind: 'update', previous, token: serverPlan.token }
}

const soakWarning =
  'While the release is watched (`soak`) clients may do what makes it impossible to go back: see the condition of the way back.'

const unchanged: Ending = { result: 'unchanged', live: { kind: 'new' }, wasLive: true }

function ended(ending: Ending): Ready {
  return { kind: 'ended', ending }
}

/** What is live when nothing was changed, as far as was found out. */
function untouched({ findings }: Work): LiveState {
  if (findings.exists === undefined) return { kind: 'unknown' }
  return { kind: findings.exists ? 'previous' : 'none' }
}
