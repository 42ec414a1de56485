import { basename } from 'node:path'
import { renderDiagram } from '../migration/diagram.ts'
import { judgeLive, readLive } from '../migration/judge-live.ts'
import { type Plan, planDigest } from '../migration/plan-file.ts'
import type { Module } from '../module/module.ts'
import type { Schema } from '../module/schema.ts'
import { chooseHealthCheck } from '../smoke/health.ts'
import type { Identity } from '../spacetimedb/identity.ts'
import { type Approved, objectionsTo, objectionsToSubject } from './approved.ts'
import { insistOnChecks } from './checks.ts'
import type { ReleaseJudgement } from './deployment.ts'
import { saveModule, savePlan } from './save.ts'
import type { Previous, Work } from './work.ts'

export type Judged =
  | { readonly kind: 'unchanged' }
  /** An approved plan is not for what is there now; `reason` is whole sentences. */
  | { readonly kind: 'not-as-approved'; readonly reason: string }
  | {
      readonly kind: 'judged'
      readonly judgement: ReleaseJudgement
      /** `undefined` when the live module lets nobody read it: then there is nothing to go back to. */
      readonly previous: Previous | undefined
    }

/** Judges what the new module does to the live one, and saves that one; or takes what an approved plan says. */
export async function captureAndJudge(work: Work, identity: Identity, described: Promise<Schema>): Promise<Judged> {
  const next = describeNext(work, described)
  next.catch(() => {})
  const { approved } = work.request
  return approved ? captureAsApproved(work, identity, next, approved) : captureAndPlan(work, identity, next)
}

/** Nothing is judged anew: what is live, the module and the database must be those of the plan. */
async function captureAsApproved(
  work: Work,
  identity: Identity,
  next: Promise<Schema>,
  approved: Approved
): Promise<Judged> {
  const { request, tools, journal, findings } = work
  const { database, module } = request
  const live = await readLive({ server: tools.server, database, module }, journal)
  if (live) findings.previousHash = live.hash
  await next
  const now = tools.clock.now()
  const situation = { server: tools.server.url, database, identity, module: module.hash, live: live?.hash, now }
  // A plan that was applied already has nothing to be too old for.
  const isApplied = live?.hash === module.hash
  const objections = isApplied ? objectionsToSubject(approved, situation) : objectionsTo(approved, situation)
  if (objections.length > 0) return { kind: 'not-as-approved', reason: objections.join('\n') }
  if (isApplied) return { kind: 'unchanged' }
  const judgement = judgementIn(approved.plan)
  findings.judgement = judgement
  findings.planPath = approved.path
  findings.planDigest = planDigest(approved.plan)
  return { kind: 'judged', judgement, previous: live && (await saveLive(work, live)) }
}

function judgementIn({ verdict, conditions, disagreement, changes, serverPlan, wayBack }: Plan): ReleaseJudgement {
  if (serverPlan === undefined || wayBack === undefined) throw new Error('The plan has nothing to be carried out.')
  const judged = { verdict, conditions, changes, serverPlan, wayBack: { ...wayBack, changes: [] }, diagram: '' }
  return { ...judged, ...(disagreement !== undefined && { disagreement }) }
}

async function captureAndPlan(work: Work, identity: Identity, next: Promise<Schema>): Promise<Judged> {
  const { request, tools, journal, findings } = work
  const { database, module } = request
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
  const previous = judged.live && (await saveLive(work, judged.live))
  const plan = await savePlan(work, previous, judgement)
  findings.planPath = plan.path
  findings.planDigest = plan.digest
  return { kind: 'judged', judgement, previous }
}

/** Chooses the health check too, and looks at the checks, so that what can't be run is found before anything is changed. */
export async function describeNext(work: Work, described: Promise<Schema>): Promise<Schema> {
  const schema = await described
  const chosen = chooseHealthCheck(work.request.healthCheck, schema)
  if (chosen !== undefined) work.findings.healthCheck = chosen
  await insistOnChecks(work, schema)
  return schema
}

function saveLive({ request, tools, journal, findings }: Work, module: Module): Promise<Previous> {
  return journal.step('Save the live module', async (step) => {
    const path = await (tools.save?.(module) ?? saveModule(tools.folder, request.database, module))
    findings.previousModulePath = path
    step.detail(`${module.hash.slice(0, 12)}, in ${basename(path)}`)
    return { module, path }
  })
}
