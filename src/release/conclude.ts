import { checkHealth, type HealthReport } from '../smoke/health.ts'
import type { Checkpoint } from './checkpoint.ts'
import { checkRelease } from './checks.ts'
import type { Ending } from './deployment.ts'
import { rollBack } from './roll-back.ts'
import { runStepsAfter } from './steps.ts'
import { undertakingOf } from './undertaking.ts'
import type { Previous, Work } from './work.ts'

/** A release that is live and has not been checked yet. */
export type Unchecked =
  | { readonly result: 'unchanged' }
  | { readonly result: 'created'; readonly checkpoint: Omit<Checkpoint, 'phase'> }
  | { readonly result: 'updated'; readonly checkpoint: Omit<Checkpoint, 'phase'>; readonly previous?: Previous }

/** Checks the release that is live now, then keeps it or goes back to the previous one. */
export async function keepOrGoBack(work: Work, release: Unchecked): Promise<Ending> {
  const filled = release.result === 'created' ? await fillNew(work) : undefined
  const health = filled ?? (await check(work, release.result !== 'unchanged'))
  const live = { kind: 'new' } as const
  if (release.result === 'unchanged') {
    if (health.kind === 'healthy') return { result: 'unchanged', live, wasLive: true }
    const result = health.kind === 'cancelled' ? 'failed' : 'unhealthy'
    return {
      result,
      live,
      wasLive: true,
      reason: `${health.reason}\nThe module was live before this ${undertakingOf(work.request.notes)}, so it was left as it is.`
    }
  }
  const wantsBack = health.kind !== 'healthy' && work.request.onFailure === 'rollback'
  if (wantsBack && release.result === 'updated' && release.previous) {
    return goBack(work, release.checkpoint, release.previous, health)
  }
  work.tools.remember({ ...release.checkpoint, phase: 'settled' })
  if (health.kind === 'healthy') return { result: release.result, live }
  const whyKept = wantsBack ? nothingToGoBackTo[release.result] : 'It was kept: this job does not go back by itself.'
  return { result: 'unhealthy', live, reason: `${health.reason}\n${whyKept}`, isCutOff: health.kind === 'cancelled' }
}

const nothingToGoBackTo = {
  created: 'It was kept: a first release has nothing to go back to.',
  updated: 'It was kept: the module before it could not be saved.'
}

/** What is not filled as it should be is not checked. */
async function fillNew({ request, tools, journal }: Work): Promise<Unwell | undefined> {
  const filled = await request.fill?.(journal, await tools.describe(request.module))
  return filled === undefined || filled.kind === 'healthy' ? undefined : filled
}

type Unwell = Exclude<HealthReport, { kind: 'healthy' }>

async function check(work: Work, isNew: boolean): Promise<HealthReport> {
  const stopped = await runStepsAfter(work)
  if (stopped) return stopped
  const health = await askForHealth(work)
  return health.kind === 'healthy' ? checkRelease(work, isNew) : health
}

async function askForHealth({ tools, request, journal, findings }: Work): Promise<HealthReport> {
  const reducer = findings.healthCheck
  if (reducer === undefined) return { kind: 'healthy' }
  return journal.step('Health check', async (step) => {
    const schema = await tools.describe(request.module)
    const options = { schema, timeout: request.healthTimeout, clock: tools.clock, cancelled: tools.cancelled }
    const health = await checkHealth(tools.server, request.database, reducer, options)
    if (health.kind === 'healthy') step.detail(`${reducer} succeeded`)
    else step.fail(health.reason)
    return health
  })
}

/** Never asks whether clients break: a release that fails its check has to go. */
async function goBack(
  work: Work,
  checkpoint: Omit<Checkpoint, 'phase'>,
  previous: Previous,
  health: Unwell
): Promise<Ending> {
  const { tools, request, journal } = work
  tools.remember({ ...checkpoint, phase: 'rolling-back' })
  const outcome = await journal.step('Roll back', async (step) => {
    const back = { database: request.database, previous: previous.module, next: request.module }
    const outcome = await rollBack(tools.server, back, tools.clock)
    if (outcome.result === 'rolled-back') step.detail(`the server serves ${previous.module.hash.slice(0, 12)} again`)
    else step.fail(outcome.reason)
    return outcome
  })
  if (!outcome.unanswered) tools.remember({ ...checkpoint, phase: 'settled' })
  const why = outcome.reason && `\nGoing back failed: ${outcome.reason}`
  const reason = `${health.reason}${why}`
  return { result: outcome.result, live: outcome.live, reason, isCutOff: health.kind === 'cancelled' }
}
