import { messageOf } from '../errors.ts'
import { startJournal } from '../journal.ts'
import { conditionSchema } from '../migration/plan-file.ts'
import type { Checkpoint } from './checkpoint.ts'
import { keepOrGoBack } from './conclude.ts'
import { confirmSchema } from './confirm.ts'
import type { Deployment, Ending, Findings, LiveState, ReleaseJudgement } from './deployment.ts'
import { Recorder } from './ledger/recorder.ts'
import { prepare } from './prepare.ts'
import { publishUpdate, type UpdateOutcome } from './publish.ts'
import { publishFirst } from './publish-first.ts'
import { notReady } from './ready.ts'
import { madeAnew } from './roll-back.ts'
import { runStepsBefore } from './steps.ts'
import { undertakingOf } from './undertaking.ts'
import type { DeployRequest, DeployTools, Previous, Work } from './work.ts'

/**
 * Brings a module to a database: finds out what is live and saves it, judges the way forward and the way back,
 * publishes by compare-and-swap, checks the release, and keeps it or goes back. Every end is a value, whatever went
 * wrong on the way.
 */
export async function deploy(request: DeployRequest, tools: DeployTools): Promise<Deployment> {
  const work = startWork(request, tools)
  const ending = await carryOut(work).catch(unexpected)
  await work.recorder?.end(ending)
  return { ...work.findings, ...ending, steps: work.journal.steps }
}

function startWork(request: DeployRequest, tools: DeployTools): Work {
  const journal = startJournal(tools.clock, tools.narrator)
  const findings: Findings = {
    server: tools.server.url,
    database: request.database,
    identity: tools.identity,
    get moduleHash() {
      return request.module.hash
    }
  }
  if (tools.ledger === undefined) return { request, tools, journal, findings }
  const recorder = new Recorder(tools.ledger, { request, tools, journal, findings })
  const remember = (checkpoint: Checkpoint) => recorder.remember(checkpoint)
  return { request, tools: { ...tools, remember }, journal, findings, recorder }
}

/** Nothing that is known of is thrown once something was sent; what is live then has to be looked at. */
function unexpected(error: unknown): Ending {
  return { result: 'unknown', live: { kind: 'unknown' }, reason: messageOf(error) }
}

async function carryOut(work: Work): Promise<Ending> {
  const ready = await prepare(work)
  switch (ready.kind) {
    case 'ended':
      return ready.ending
    case 'unchanged': {
      if (work.request.steps && work.request.steps.before.length > 0) {
        work.journal.tell('The steps before the publish are not run: the module is live already.')
      }
      const ending = await keepOrGoBack(work, { result: 'unchanged' })
      await work.recorder?.confirm(ending)
      return ending
    }
    case 'overtaken':
      return overtaken(work, ready)
    case 'create':
      return (await notReady(work, { kind: 'none' })) ?? create(work)
    case 'update':
      return (await notReady(work, { kind: 'previous' })) ?? update(work, ready.previous, ready.token)
  }
}

async function update(work: Work, previous: Previous | undefined, token: string): Promise<Ending> {
  const checkpoint = checkpointOf(work, previous)
  await work.recorder?.begin(previous?.module)
  const stopped = await runStepsBefore(work, checkpoint)
  if (stopped) return stopped
  const ending = await publishAndCheck(work, previous, token, checkpoint)
  const stepsRan = (work.request.steps?.before.length ?? 0) > 0
  return stepsRan ? { ...ending, stepsRan } : ending
}

function checkpointOf({ request, tools, findings }: Work, previous: Previous | undefined): Omit<Checkpoint, 'phase'> {
  const { database, module, modulePath, onFailure, steps } = request
  const wayBack = inShort(findings.judgement)
  return {
    server: tools.server.url,
    database,
    next: { hash: module.hash, path: modulePath },
    ...(previous && { previous: { hash: previous.module.hash, path: previous.path } }),
    onFailure,
    ...(wayBack && { wayBack }),
    undertaking: undertakingOf(request.notes),
    hasSteps: (steps?.before.length ?? 0) + (steps?.after.length ?? 0) > 0
  }
}

async function publishAndCheck(
  work: Work,
  previous: Previous | undefined,
  token: string,
  checkpoint: Omit<Checkpoint, 'phase'>
): Promise<Ending> {
  const { request, tools, journal } = work
  const { database, module } = request
  if (tools.cancelled.aborted) {
    tools.remember({ ...checkpoint, phase: 'settled' })
    return cancelledBefore({ kind: 'previous' })
  }
  tools.remember({ ...checkpoint, phase: 'changing' })
  const outcome = await journal.step('Publish', async (step) => {
    const outcome = await publishUpdate(
      tools.server,
      { database, module, previous: previous?.module, token },
      tools.clock,
      tools.cancelled
    )
    if (outcome.kind === 'live') step.detail(`the server serves ${module.hash.slice(0, 12)}`)
    else if (outcome.kind === 'already-live') step.detail('another job published it')
    else step.fail('reason' in outcome ? outcome.reason : 'somebody else changed the database in between')
    return outcome
  })
  switch (outcome.kind) {
    case 'live':
      await confirmSchema(work)
      return keepOrGoBack(work, { result: 'updated', ...(previous && { previous }), checkpoint })
    case 'already-live':
      journal.warn('Another job published this very module in between.')
      tools.remember({ ...checkpoint, phase: 'settled' })
      return keepOrGoBack(work, { result: 'unchanged' })
    case 'made-anew':
      tools.remember({ ...checkpoint, phase: 'settled' })
      return { result: 'unhealthy', live: { kind: 'new' }, reason: madeAnew, isAnew: true }
    case 'not-published': {
      tools.remember({ ...checkpoint, phase: outcome.mayLand ? 'unsettled' : 'settled' })
      const mayLand = outcome.mayLand ? `\n${mayLandLate}` : ''
      const reason = `The module was not published: ${outcome.reason}${mayLand}`
      return { result: 'failed', live: { kind: 'previous' }, reason }
    }
    case 'overtaken':
      tools.remember({ ...checkpoint, phase: 'settled' })
      return overtaken(work, outcome)
    case 'gone':
      tools.remember({ ...checkpoint, phase: 'settled' })
      return { result: 'failed', live: { kind: 'none' }, reason: 'Somebody deleted the database in between.' }
    case 'unknown':
      tools.remember({ ...checkpoint, phase: 'unsettled' })
      return { result: 'unknown', live: outcome.live, reason: outcome.reason }
  }
}

function inShort(judgement: ReleaseJudgement | undefined) {
  if (judgement === undefined) return undefined
  const { reversible, conditions } = judgement.wayBack
  return { reversible, conditions: conditionSchema.array().parse(conditions) }
}

const mayLandLate =
  'An answer was lost. Should the server still carry that publish out, the post step of this job sees to it.'

async function overtaken(
  { request, recorder }: Work,
  { live, applied }: Extract<UpdateOutcome, { kind: 'overtaken' }>
): Promise<Ending> {
  const theirs = live.hash ? `module ${live.hash}` : 'another module'
  const undertaking = undertakingOf(request.notes)
  const ours = {
    true: `This ${undertaking} was applied, and then they published over it.`,
    false: `Nothing of this ${undertaking} was applied.`,
    undefined: `Whether this ${undertaking} was applied before that is not known: an answer was lost.`
  }[`${applied}`]
  const publisher = live.hash && (await recorder?.publisherOf(live.hash))
  const next = request.approved
    ? 'make a new plan and have that approved'
    : `run the ${undertaking} again: it will make a new plan`
  const reason = [`Somebody else published in between: ${theirs} is live now.`, publisher, ours]
    .filter(Boolean)
    .join(' ')
  return { result: 'failed', live, reason: `${reason}\nLook at what was published, then ${next}.` }
}

function cancelledBefore(live: LiveState): Ending {
  return { result: 'failed', live, reason: 'The job was cancelled before anything was published.' }
}

async function create(work: Work): Promise<Ending> {
  const { request, tools, journal, findings } = work
  if (request.steps && request.steps.before.length > 0) {
    journal.warn('The steps before the publish are not run: there is no database yet that they could run on.')
  }
  const { database, module, modulePath, organization, onFailure } = request
  const next = { hash: module.hash, path: modulePath }
  const checkpoint = { server: tools.server.url, database, next, onFailure }
  await work.recorder?.begin(undefined)
  if (tools.cancelled.aborted) return cancelledBefore({ kind: 'none' })
  tools.remember({ ...checkpoint, phase: 'changing' })
  const outcome = await journal.step('Create the database', async (step) => {
    const creation = { database, module, identity: tools.identity, organization }
    const outcome = await publishFirst(tools.server, creation, tools.clock, tools.cancelled)
    if ('identity' in outcome) step.detail(`${outcome.identity} serves ${module.hash.slice(0, 12)}`)
    else step.fail(outcome.reason)
    return outcome
  })
  if (outcome.kind === 'created' || outcome.kind === 'already-there') {
    findings.databaseIdentity = outcome.identity
    if (outcome.kind === 'created') return keepOrGoBack(work, { result: 'created', checkpoint })
    journal.warn('Another job created the database in between, with this very module.')
    tools.remember({ ...checkpoint, phase: 'settled' })
    return keepOrGoBack(work, { result: 'unchanged' })
  }
  const isUnsettled = outcome.kind === 'unknown' || (outcome.kind === 'not-created' && outcome.mayLand)
  tools.remember({ ...checkpoint, phase: isUnsettled ? 'unsettled' : 'settled' })
  if (outcome.kind === 'unknown') return { result: 'unknown', live: { kind: 'unknown' }, reason: outcome.reason }
  if (outcome.kind === 'not-created') {
    const mayLand = outcome.mayLand ? `\n${mayLandLate}` : ''
    const reason = `The database was not created: ${outcome.reason}${mayLand}`
    return { result: 'failed', live: { kind: 'none' }, reason, isClaimed: outcome.claimed }
  }
  const { live } = outcome
  const publisher = live.kind === 'other' && live.hash && (await work.recorder?.publisherOf(live.hash))
  return { result: 'failed', live, reason: [outcome.reason, publisher].filter(Boolean).join(' ') }
}
