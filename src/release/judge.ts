import { basename } from 'node:path'
import { renderDiagram } from '../migration/diagram.ts'
import { judgeLive } from '../migration/judge-live.ts'
import type { Module } from '../module/module.ts'
import type { Schema } from '../module/schema.ts'
import { chooseHealthCheck } from '../smoke/health.ts'
import type { Identity } from '../spacetimedb/identity.ts'
import type { ReleaseJudgement } from './deployment.ts'
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

/** Judges what the new module does to the live one, and saves that one. */
export async function captureAndJudge(work: Work, identity: Identity, described: Promise<Schema>): Promise<Judged> {
  const { request, tools, journal, findings } = work
  const { database, module } = request
  const next = describeNext(work, described)
  next.catch(() => {})
  const live = { server: tools.server, database, identity, module, described: next, asOwner: true }
  const judged = await judgeLive(live, { describe: tools.describe, journal })
  if (judged.live) findings.previousHash = judged.live.hash
  if (judged.kind === 'unchanged') return judged
  const { serverPlan } = judged.judgement
  if (serverPlan === undefined) throw new Error('The server was not asked for its plan.')
  const { before, after } = judged.schemas
  const diagram = renderDiagram(judged.judgement.changes, before, after)
  const judgement = { ...judged.judgement, serverPlan, diagram }
  findings.judgement = judgement
  return { kind: 'judged', judgement, previous: judged.live && (await saveLive(work, judged.live)) }
}

/** Chooses the health check too, so that a wrong name is found before anything is changed. */
export async function describeNext(work: Work, described: Promise<Schema>): Promise<Schema> {
  const schema = await described
  const chosen = chooseHealthCheck(work.request.healthCheck, schema)
  if (chosen !== undefined) work.findings.healthCheck = chosen
  return schema
}

function saveLive({ request, tools, journal, findings }: Work, module: Module): Promise<Previous> {
  return journal.step('Save the live module', async (step) => {
    const path = await saveModule(tools.folder, request.database, module)
    findings.previousModulePath = path
    step.detail(`${module.hash.slice(0, 12)}, in ${basename(path)}`)
    return { module, path }
  })
}
