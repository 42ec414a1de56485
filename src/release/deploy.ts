import { startJournal } from '../journal.ts'
import { keepOrGoBack } from './conclude.ts'
import type { Deployment, Ending, OtherModule } from './deployment.ts'
import { prepare } from './prepare.ts'
import { publishUpdate } from './publish.ts'
import { publishFirst } from './publish-first.ts'
import type { DeployRequest, DeployTools, Previous, Work } from './work.ts'

/**
 * Brings a module to a database: finds out what is live and saves it, judges the way forward and the way back,
 * publishes by compare-and-swap, checks the release, and keeps it or goes back. Every end is a value, whatever went
 * wrong on the way.
 */
export async function deploy(request: DeployRequest, tools: DeployTools): Promise<Deployment> {
  const work: Work = {
    request,
    tools,
    journal: startJournal(tools.clock, tools.narrator),
    findings: {
      server: tools.server.url,
      database: request.database,
      identity: tools.identity,
      moduleHash: request.module.hash
    }
  }
  const ending = await carryOut(work)
  return { ...work.findings, ...ending, steps: work.journal.steps }
}

async function carryOut(work: Work): Promise<Ending> {
  const ready = await prepare(work)
  switch (ready.kind) {
    case 'ended':
      return ready.ending
    case 'unchanged':
      return keepOrGoBack(work, { result: 'unchanged' })
    case 'create':
      return create(work)
    case 'update':
      return update(work, ready.previous, ready.token)
  }
}

async function update(work: Work, previous: Previous | undefined, token: string): Promise<Ending> {
  const { request, tools, journal } = work
  const { database, module, modulePath, onFailure } = request
  const next = { hash: module.hash, path: modulePath }
  const saved = previous && { hash: previous.module.hash, path: previous.path }
  const checkpoint = { next, ...(saved && { previous: saved }), onFailure }
  tools.remember({ ...checkpoint, phase: 'changing' })
  const outcome = await journal.step('Publish', async (step) => {
    const outcome = await publishUpdate(
      tools.server,
      { database, module, previous: previous?.module, token },
      tools.clock
    )
    if (outcome.kind === 'live') step.detail(`the server serves ${module.hash.slice(0, 12)}`)
    else step.fail(outcome.kind === 'overtaken' ? 'somebody else published first' : outcome.reason)
    return outcome
  })
  switch (outcome.kind) {
    case 'live':
      return keepOrGoBack(work, { result: 'updated', ...(previous && { previous }), checkpoint })
    case 'not-published':
      tools.remember({ ...checkpoint, phase: 'settled' })
      return { result: 'failed', live: { kind: 'previous' }, reason: `The module was not published: ${outcome.reason}` }
    case 'overtaken':
      tools.remember({ ...checkpoint, phase: 'settled' })
      return overtaken(outcome.live)
    case 'unknown':
      return { result: 'unknown', live: outcome.live, reason: outcome.reason }
  }
}

function overtaken(live: OtherModule): Ending {
  return {
    result: 'failed',
    live,
    reason:
      `Somebody else published between the plan and this publish: ${live.hash ? `module ${live.hash}` : 'another module'} is live now, and nothing ` +
      'of this deploy was applied. Look at what was published, then run the deploy again: it will make a new plan.'
  }
}

async function create(work: Work): Promise<Ending> {
  const { request, tools, journal, findings } = work
  const { database, module, modulePath, organization, onFailure } = request
  const checkpoint = { next: { hash: module.hash, path: modulePath }, onFailure }
  tools.remember({ ...checkpoint, phase: 'changing' })
  const outcome = await journal.step('Create the database', async (step) => {
    const owner = organization === undefined ? tools.identity : 'organization'
    const creation = { database, module, owner, organization } as const
    const outcome = await publishFirst(tools.server, creation, tools.clock)
    if (outcome.kind === 'created') step.detail(`${outcome.identity} serves ${module.hash.slice(0, 12)}`)
    else step.fail(outcome.reason)
    return outcome
  })
  if (outcome.kind === 'created') {
    findings.databaseIdentity = outcome.identity
    return keepOrGoBack(work, { result: 'created', checkpoint })
  }
  if (outcome.kind === 'unknown') return { result: 'unknown', live: { kind: 'unknown' }, reason: outcome.reason }

  tools.remember({ ...checkpoint, phase: 'settled' })
  if (outcome.kind === 'not-created') {
    const claimed = outcome.claimed
      ? `\nThe name "${database}" is claimed now and holds nothing: until a publish succeeds, anyone can take it.`
      : ''
    return {
      result: 'failed',
      live: { kind: 'none' },
      reason: `The database was not created: ${outcome.reason}${claimed}`
    }
  }
  const result = outcome.live.kind === 'new' ? 'unhealthy' : 'failed'
  return { result, live: outcome.live, reason: outcome.reason }
}
