import { basename } from 'node:path'
import { ConfigurationError, messageOf } from '../errors.ts'
import { diffSchemas } from '../migration/diff.ts'
import { judge, type UsablePlan } from '../migration/judgement.ts'
import { judgeWayBack } from '../migration/way-back.ts'
import { type ModuleHash, planToken } from '../module/hash.ts'
import type { Module } from '../module/module.ts'
import type { Schema } from '../module/schema.ts'
import { chooseHealthCheck } from '../smoke/health.ts'
import type { Identity } from '../spacetimedb/identity.ts'
import type { ReleaseJudgement } from './deployment.ts'
import { saveModule } from './save.ts'
import type { Previous, Work } from './work.ts'

export type Judged =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'judged'; readonly judgement: ReleaseJudgement; readonly previous: Previous }

const rounds = 3

/**
 * Saves the live module and judges what the new one does to it. The plan must be for the module that was saved:
 * when somebody publishes between the two, both are made again.
 */
export async function captureAndJudge(work: Work, database: Identity, described: Promise<Schema>): Promise<Judged> {
  for (let round = 1; round <= rounds; round++) {
    const previous = await capture(work)
    if (previous.module.hash === work.request.module.hash) {
      await describeNext(work, described)
      return { kind: 'unchanged' }
    }
    const judgement = await plan(work, previous, described)
    if (await isFor(work, judgement.serverPlan, database, previous.module.hash)) {
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

async function capture({ request, tools, journal, findings }: Work): Promise<Previous> {
  return journal.step('Save the live module', async (step) => {
    const module = await tools.server.liveModule(request.database)
    const path = await saveModule(tools.folder, request.database, module)
    findings.previousHash = module.hash
    findings.previousModulePath = path
    step.detail(`${module.hash.slice(0, 12)}, in ${basename(path)}`)
    return { module, path }
  })
}

async function plan(work: Work, previous: Previous, described: Promise<Schema>): Promise<ReleaseJudgement> {
  const { request, tools, journal } = work
  return journal.step('Plan', async (step) => {
    const [serverPlan, next, live] = await Promise.all([
      tools.server.plan(request.database, request.module),
      describeNext(work, described),
      describeLive(work, previous.module)
    ])
    if (serverPlan.kind === 'bad-module') {
      throw new ConfigurationError(`The server can't load the module: ${serverPlan.reason}`)
    }
    const changes = diffSchemas(live, next)
    const wayBack = judgeWayBack(live, next)
    const judgement = { ...judge(changes, serverPlan), changes, serverPlan, wayBack }
    step.detail(`verdict ${judgement.verdict}, reversible ${wayBack.reversible}`)
    return judgement
  })
}

/** What runs on the server is described offline as well, since its own answer leaves parts out. */
async function describeLive({ request, tools, journal }: Work, module: Module): Promise<Schema> {
  try {
    return await tools.describe(module)
  } catch (error) {
    journal.warn(`The live module could not be described offline (${messageOf(error)}): the server’s word is taken.`)
    return tools.server.schema(request.database)
  }
}

/** A manual plan binds nothing, as it can't be carried out. */
async function isFor({ request, tools, journal }: Work, plan: UsablePlan, database: Identity, live: ModuleHash) {
  if (plan.kind !== 'automatic') return true
  if (sameNumber(plan.token, planToken(database, live, request.module.hash))) return true
  const now = await tools.server.live(request.database)
  if (now.hash === live) {
    journal.warn(
      'The server makes its plan tokens in a way that this version does not know; the live hash was compared.'
    )
  }
  return now.hash === live
}

function sameNumber(one: string, other: string): boolean {
  return /^0x[0-9a-f]+$/i.test(one) && BigInt(one) === BigInt(other)
}
