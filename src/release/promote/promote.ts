import type { Narrator } from '../../journal.ts'
import type { ModuleHash } from '../../module/hash.ts'
import type { Checkpoint } from '../checkpoint.ts'
import { deploy } from '../deploy.ts'
import { type Deployment, isSuccess } from '../deployment.ts'
import { saveModule } from '../save.ts'
import type { DeployRequest, DeployTools } from '../work.ts'
import { endShared, type SharedBegun } from './end-shared.ts'
import { type NotBegun, type Promoted, type Promotion, promotedOf, type SharedPlan, type Stop } from './promotion.ts'
import { savingOnce, sharingModules } from './shared-modules.ts'
import { SharedRelease } from './shared-release.ts'
import { sideBySide } from './side-by-side.ts'

/** A module, and the databases that are to get it. */
export type PromoteRequest = Omit<DeployRequest, 'database' | 'approved'> & {
  /** At least one, each once, in their order. Of several the first is the canary: it goes alone, and is soaked. */
  readonly databases: readonly string[]
  /** How many are under way at the same time, once the canary is through. */
  readonly maxParallel: number
  /** What ends it before all have had their turn: `any` failure, that of the `canary` alone, or `none`. */
  readonly stopOn: 'any' | 'canary' | 'none'
}

export type PromoteTools = Omit<DeployTools, 'remember'> & {
  readonly progress: Progress
  /** Told of each database as it is over, before what is known of it is let go. Must not throw. */
  readonly onDeployed?: (deployment: Deployment) => Promise<void>
}

/** Keeps what a promotion that is cut off has done and was doing, database by database. */
export type Progress = {
  /** Before anything is changed in it. */
  remember(database: string, checkpoint: Checkpoint): void
  over(promoted: Promoted): void
  /** A release of several databases was written down. */
  begun(release: SharedBegun): void
}

/**
 * Brings one module to many databases of a server, each as `deploy` does: the canary first, then the others side by side
 * in their order. Once cancelled or stopped nothing more is begun, and what is under way is brought to its end. A dry run
 * plans for all of them. What is the same of many is fetched and described once; of each only a few lines are kept.
 */
export async function promote(request: PromoteRequest, tools: PromoteTools): Promise<Promotion> {
  const { databases, dryRun, maxParallel } = request
  const recording = recordingOf(request, tools)
  const shared = databases.length > 1 ? sharing(tools, request) : tools
  const ended = new Map<string, Promoted>()
  const plans = new SharedPlans()
  let failure: Stop | undefined
  const stop = (): Stop | undefined => (tools.cancelled.aborted ? { kind: 'cancelled' } : failure)

  const release = async (database: string, turn: Turn) => {
    const deployment = await deploy(
      requestFor(database, request, turn),
      toolsFor(database, { ...shared, ledger: recording.ledgerFor(database) }, turn)
    )
    const promoted = promotedOf(deployment)
    ended.set(database, promoted)
    plans.add(deployment)
    await tools.onDeployed?.(deployment)
    tools.progress.over(promoted)
    if (stopsOthers(promoted, turn, request)) failure ??= { kind: turn === 'canary' ? 'canary' : 'failure', database }
  }

  const [canary = '', ...others] = databases
  const hasCanary = others.length > 0 && !dryRun
  if (hasCanary) await release(canary, 'canary')
  const turn = databases.length === 1 ? 'only' : 'other'
  const left = hasCanary ? others : databases
  await sideBySide(
    left,
    maxParallel,
    (database) => release(database, turn),
    () => stop() !== undefined
  )
  const reports = databases.map((database) => ended.get(database) ?? notBegun(database))
  const why = ended.size < databases.length ? stop() : undefined
  const recorded = await recording.end(reports)
  const { server, identity } = tools
  const about = { server: server.url, identity, moduleHash: request.module.hash, isDryRun: dryRun, ...recorded }
  return { ...about, databases: reports, ...(why && { stop: why }), plans: plans.all() }
}

/** Several databases have a release in common, which each sees as its own. */
function recordingOf(request: PromoteRequest, { ledger, server, clock, cancelled, progress }: PromoteTools) {
  if (ledger === undefined || request.dryRun || request.databases.length === 1) {
    return { ledgerFor: () => ledger, end: async () => ({}) }
  }
  const releases: SharedBegun[] = []
  const onBegun = (begun: SharedBegun) => {
    releases.push(begun)
    progress.begun(begun)
  }
  const release = new SharedRelease({ ledger, server, request, onBegun })
  return {
    ledgerFor: (database: string) => release.ledgerFor(database),
    end: async (databases: readonly (Promoted | NotBegun)[]) => {
      const answer = await endShared(ledger, releases, databases, { clock, cancelled })
      await release.retireReplaced(databases)
      return { releases, ...(answer.kind === 'failed' && { ledgerWarning: answer.reason }) }
    }
  }
}

function sharing(tools: PromoteTools, { module, organization }: PromoteRequest): PromoteTools {
  const narrator = warningOnce(tools.narrator)
  const save = savingOnce((previous) => saveModule(tools.folder, 'previous', previous))
  // Whether we act for an organization only the server knows, of each of its databases.
  const server = sharingModules(tools.server, module, { mayDiffer: organization !== undefined })
  return { ...tools, server, save, narrator }
}

/** Which of the databases one is. */
type Turn = 'only' | 'canary' | 'other'

function requestFor(database: string, request: PromoteRequest, turn: Turn): DeployRequest {
  const { checks } = request
  // To watch each of them would take as long as all the soaks one after the other.
  return turn === 'other' && checks
    ? { ...request, database, checks: { ...checks, soak: undefined } }
    : { ...request, database }
}

function toolsFor(database: string, tools: PromoteTools, turn: Turn): DeployTools {
  const narrator = turn === 'only' ? tools.narrator : amongOthers(tools.narrator, database)
  // A signal of its own, so that what waits for it is let go with the database.
  const cancelled = AbortSignal.any([tools.cancelled])
  return { ...tools, narrator, cancelled, remember: (checkpoint) => tools.progress.remember(database, checkpoint) }
}

/** Steps of several databases are told of side by side, so each says whose it is, once it is over. */
function amongOthers({ end, tell, warn }: Narrator, database: string): Narrator {
  return {
    begin: () => {},
    end: (step) => end({ ...step, detail: `${database}: ${step.name}${step.detail && `: ${step.detail}`}` }),
    tell: (text) => tell(`${database}: ${text.trim()}`),
    warn: (text) => warn(`${database}: ${text}`)
  }
}

/** What is wrong with one is mostly wrong with all: it is a warning once, and then a line in the log. */
function warningOnce(narrator: Narrator): Narrator {
  const warned = new Set<string>()
  return {
    ...narrator,
    warn: (text) => {
      const [, what = text] = /^[\w-]+: (.*)$/s.exec(text) ?? []
      if (warned.has(what)) narrator.tell(text)
      else narrator.warn(text)
      warned.add(what)
    }
  }
}

function stopsOthers({ result }: Promoted, turn: Turn, { stopOn, dryRun }: PromoteRequest): boolean {
  if (dryRun || isSuccess(result)) return false
  return stopOn === 'any' || (stopOn === 'canary' && turn === 'canary')
}

function notBegun(database: string): NotBegun {
  return { database, result: 'not-begun' }
}

/** Plans are large, and the same for all databases that ran the same module. */
class SharedPlans {
  readonly #plans = new Map<ModuleHash | undefined, SharedPlan & { readonly databases: string[] }>()

  add({ database, judgement, previousHash: before }: Deployment): void {
    if (judgement === undefined) return
    const known = this.#plans.get(before)
    if (known) known.databases.push(database)
    else this.#plans.set(before, { before, judgement, databases: [database] })
  }

  all(): readonly SharedPlan[] {
    return [...this.#plans.values()]
  }
}
