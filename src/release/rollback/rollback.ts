import { ConfigurationError, messageOf } from '../../errors.ts'
import { type Step, startJournal } from '../../journal.ts'
import { deploy } from '../deploy.ts'
import type { Deployment, Ending } from '../deployment.ts'
import type { ReleaseNotes } from '../ledger/record.ts'
import { cancellation } from '../prepare.ts'
import { saveModule } from '../save.ts'
import type { DeployRequest } from '../work.ts'
import { fetchTarget } from './fetch-target.ts'
import { chooseTarget, type Target } from './target.ts'
import type { RollbackFindings, RollbackRequest, RollbackTools, RollbackWork } from './work.ts'

/** The whole report of a rollback. */
export type Rollback = Readonly<RollbackFindings> & {
  /** Its `new` is the module that was to be restored, its `previous` the one that was live. */
  readonly ending: Ending
  /** What came of publishing; `undefined` when it did not get so far. */
  readonly deployment?: Deployment
  readonly steps: readonly Step[]
}

/**
 * Makes a database run the module of an earlier release: finds the release and its bytes, then publishes them as a deploy
 * does, judged, by compare-and-swap, and checked. What was restored is kept even when its checks fail: what was left is no
 * cure for it. Every end is a value.
 */
export async function rollback(request: RollbackRequest, tools: RollbackTools): Promise<Rollback> {
  const { database, goal, notes } = request
  const { server, identity } = tools
  const work: RollbackWork = {
    request,
    tools,
    journal: startJournal(tools.clock, tools.narrator),
    findings: { server: server.url, database, identity, goal, why: notes.reason, tried: [] }
  }
  const { findings, journal } = work
  const ready = await prepare(work)
  if (ready.kind === 'ended') return { ...findings, ending: ready.ending, steps: journal.steps }
  const deployment = await deploy(ready.request, tools)
  const ending = endingOf(deployment)
  return { ...findings, ending, deployment, steps: [...journal.steps, ...deployment.steps] }
}

/** A module that took the place of another has been rolled back to. */
function endingOf(deployment: Deployment): Ending {
  return deployment.result === 'updated' ? { ...deployment, result: 'rolled-back' } : deployment
}

/** Whether a rollback that ended so has done what it was asked to do. */
export function hasRolledBack({ result }: Ending): boolean {
  return result === 'rolled-back' || result === 'unchanged' || result === 'planned'
}

type Ready =
  | { readonly kind: 'ready'; readonly request: DeployRequest }
  | { readonly kind: 'ended'; readonly ending: Ending }

/** Whatever fails here has changed nothing. Never throws. */
async function prepare(work: RollbackWork): Promise<Ready> {
  try {
    return await Promise.race([getReady(work), cancellation(work.tools.cancelled)])
  } catch (error) {
    const isConfiguration = error instanceof ConfigurationError
    return ended(work, { reason: messageOf(error), isConfiguration })
  }
}

async function getReady(work: RollbackWork): Promise<Ready> {
  const { request, tools, findings } = work
  const chosen = await chooseTarget(work)
  if (chosen.kind === 'none') return ended(work, { reason: chosen.reason })
  findings.target = chosen.target
  const fetched = await fetchTarget(work, chosen.target)
  if (fetched.kind === 'none') return ended(work, { reason: fetched.reason })
  const { goal, notes, ...rest } = request
  const { module } = fetched
  return {
    kind: 'ready',
    request: {
      ...rest,
      module,
      modulePath: goal.kind === 'module' ? goal.path : await saveModule(tools.folder, request.database, module),
      create: false,
      foundLive: findings.liveHash,
      onFailure: 'keep',
      notes: notesOn(chosen.target, notes)
    }
  }
}

function ended({ findings }: RollbackWork, ending: Pick<Ending, 'reason' | 'isConfiguration'>): Ready {
  const live = { kind: findings.databaseIdentity === undefined ? 'unknown' : 'previous' } as const
  return { kind: 'ended', ending: { result: 'failed', live, ...ending } }
}

/** What is restored was built from what its own release was built from, and not from the commit of this run. */
function notesOn({ release }: Target, { action, run, actor, reason }: ReleaseNotes): ReleaseNotes {
  const mine = { action, ...(run && { run }), ...(actor && { actor }), ...(reason && { reason }) }
  if (release === undefined) return mine
  const { commit, ref, image, moduleArtifact, artifact } = release.record
  const theirs = { commit, ref, image, moduleArtifact, artifact }
  const known = Object.fromEntries(Object.entries(theirs).filter(([, value]) => value !== undefined))
  return { ...known, ...mine, restores: release.id }
}
