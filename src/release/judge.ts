import { basename } from 'node:path'
import { ConfigurationError, messageOf } from '../errors.ts'
import { renderDiagram } from '../migration/diagram.ts'
import { diffSchemas } from '../migration/diff.ts'
import { judge } from '../migration/judgement.ts'
import { judgeWayBack, type WayBack } from '../migration/way-back.ts'
import type { ModuleHash } from '../module/hash.ts'
import type { Module } from '../module/module.ts'
import type { Schema } from '../module/schema.ts'
import { chooseHealthCheck } from '../smoke/health.ts'
import type { Identity } from '../spacetimedb/identity.ts'
import { ServerFailure } from '../spacetimedb/server.ts'
import type { ReleaseJudgement } from './deployment.ts'
import { isTokenOf } from './live-state.ts'
import { saveModule } from './save.ts'
import type { Previous, Work } from './work.ts'

export type Judged =
  | { readonly kind: 'unchanged' }
  | {
      readonly kind: 'judged'
      readonly judgement: ReleaseJudgement
      /** `undefined` when the live module lets nobody read it: then there is nothing to go back to. */
      readonly previous: Previous | undefined
    }

const rounds = 3

/**
 * Saves the live module and judges what the new one does to it. The plan must be for the module that was saved:
 * when somebody publishes between the two, both are made again.
 */
export async function captureAndJudge(work: Work, database: Identity, described: Promise<Schema>): Promise<Judged> {
  const next = work.request.module.hash
  for (let round = 1; round <= rounds; round++) {
    const previous = await fetchLive(work, next)
    if (previous === 'same') {
      await describeNext(work, described)
      return { kind: 'unchanged' }
    }
    const judgement = await plan(work, previous?.module, described)
    const { serverPlan } = judgement
    const isTokenFrom = (live: ModuleHash) =>
      serverPlan.kind === 'automatic' && isTokenOf(serverPlan.token, database, live, next)
    if (previous === undefined && isTokenFrom(next)) return { kind: 'unchanged' }
    const live = previous?.module.hash
    if (live === undefined || isTokenFrom(live) || (await isStill(work, live))) {
      work.findings.judgement = judgement
      return { kind: 'judged', previous, judgement }
    }
    work.journal.warn('Somebody else published while this plan was made. It is made again.')
  }
  throw new Error('The database keeps changing: somebody else publishes to it all the time. Nothing was changed.')
}

/** Chooses the health check too, so that a wrong name is found before anything is changed. */
export async function describeNext(work: Work, described: Promise<Schema>): Promise<Schema> {
  const schema = await described
  const chosen = chooseHealthCheck(work.request.healthCheck, schema)
  if (chosen !== undefined) work.findings.healthCheck = chosen
  return schema
}

/** Saves the live module, unless it is the very one that is to be deployed: that is none to go back to. */
async function fetchLive(work: Work, next: ModuleHash): Promise<Previous | 'same' | undefined> {
  const { request, tools, journal, findings } = work
  return journal.step('Save the live module', async (step) => {
    delete findings.previousHash
    delete findings.previousModulePath
    try {
      const module = await tools.server.liveModule(request.database)
      findings.previousHash = module.hash
      if (module.hash === next) {
        step.detail(`${next.slice(0, 12)} is live already`)
        return 'same'
      }
      const path = await saveModule(tools.folder, request.database, module)
      findings.previousModulePath = path
      step.detail(`${module.hash.slice(0, 12)}, in ${basename(path)}`)
      return { module, path }
    } catch (failure) {
      if (!(failure instanceof ServerFailure) || failure.kind !== 'forbidden') throw failure
      step.fail('the live module lets nobody read it')
      journal.warn(`The live module can't be saved, so there will be nothing to go back to. ${failure.message}`)
      return undefined
    }
  })
}

async function plan(work: Work, previous: Module | undefined, described: Promise<Schema>): Promise<ReleaseJudgement> {
  const { request, tools, journal } = work
  return journal.step('Plan', async (step) => {
    const describedLive = describeLive(work, previous)
    describedLive.catch(() => {})
    // Only a module that could be described, with limits, is given to the server, which has none.
    const next = await describeNext(work, described)
    const [serverPlan, live] = await Promise.all([tools.server.plan(request.database, request.module), describedLive])
    if (serverPlan.kind === 'bad-module') {
      throw new ConfigurationError(`The server can't load the module: ${serverPlan.reason}`)
    }
    const changes = diffSchemas(live, next)
    const wayBack = previous ? judgeWayBack(live, next) : noWayBack
    const diagram = renderDiagram(changes, live, next)
    const judgement = { ...judge(changes, serverPlan), changes, serverPlan, wayBack, diagram }
    step.detail(`verdict ${judgement.verdict}, reversible ${wayBack.reversible}`)
    return judgement
  })
}

const noWayBack: WayBack = { reversible: 'no', conditions: [], blockers: [], changes: [] }

/** What runs on the server is described offline as well, since its own answer leaves parts out. */
async function describeLive({ request, tools, journal }: Work, module: Module | undefined): Promise<Schema> {
  if (module === undefined) return tools.server.schema(request.database)
  try {
    return await tools.describe(module)
  } catch (error) {
    journal.warn(`The live module could not be described offline (${messageOf(error)}): the server's word is taken.`)
    return tools.server.schema(request.database)
  }
}

/** For a server that makes its plans' tokens in a way that this version doesn't know, or has no token to give. */
async function isStill({ request, tools }: Work, live: ModuleHash): Promise<boolean> {
  return (await tools.server.live(request.database)).hash === live
}
