import type { Seed } from '../rehearsal/seed-file.ts'
import { deploy } from '../release/deploy.ts'
import type { Deployment, Result } from '../release/deployment.ts'
import type { DeployRequest, DeployTools } from '../release/work.ts'
import { type Deletion, deletePreview } from './delete.ts'
import { guarded, type Known } from './guard.ts'
import type { Preview } from './preview.ts'
import { filler, insistOnSeed } from './seed.ts'
import { type Proof, standingOf } from './standing.ts'

/** Whether a preview is deleted and made anew: where it can't be updated in place, each time, or not at all. */
export type Remaking = 'needed' | 'always' | 'never'

export type PreviewRequest = Pick<
  DeployRequest,
  'module' | 'modulePath' | 'healthCheck' | 'healthTimeout' | 'checks' | 'notes' | 'dryRun'
> & {
  readonly preview: Preview
  /** What a new database is filled with. */
  readonly seed: Seed | undefined
  readonly remaking: Remaking
}

export type PreviewTools = DeployTools &
  Pick<Proof, 'releases'> & {
    /** Remembers whether there may be a new database that is not filled to the end, should the job be cut off. */
    readonly rememberUnfilled: (isUnfilled: boolean) => void
  }

/** How bringing a module to a preview ended. */
export type PreviewUpdate = {
  /** `remade`: the database was deleted and made anew. */
  readonly result: Result | 'remade'
  /** What was done last to the database; `undefined` when it did not come to that. */
  readonly deployment?: Deployment
  /** Why the database of before, with its data, is gone. */
  readonly remadeBecause?: string
  /** One sentence or more on why it ended so; always there when the job fails. */
  readonly reason?: string | undefined
  /** What became of a new database that could not be filled: half of its data would be taken for all of it. */
  readonly unfilled?: Deletion
}

/**
 * Creates the preview of a pull request, or brings its module to it. Clients of a preview may break and it is never rolled
 * back: it is there to show this module. Nothing is touched that is not proved to be the preview. Throws a
 * `ConfigurationError` for a seed that does not fit the module.
 */
export async function updatePreview(request: PreviewRequest, tools: PreviewTools): Promise<PreviewUpdate> {
  if (request.seed !== undefined) insistOnSeed(request.seed, await tools.describe(request.module))
  const standing = await standingOf(request.preview, tools)
  if (standing.kind === 'unknown') return { result: 'failed', reason: `${standing.reason} Nothing was changed.` }
  if (standing.kind === 'other') return { result: 'refused', reason: `${standing.reason} Nothing was changed.` }
  if (standing.kind === 'absent') return create(request, tools)
  if (request.remaking === 'always') return remake(request, tools, 'it was asked for')
  const deployment = await deploy(releaseOf(request), { ...tools, server: guard(request, tools, standing) })
  const obstacle = obstacleToUpdating(deployment)
  if (obstacle === undefined || request.remaking === 'never') return ended(deployment)
  return remake(request, tools, obstacle)
}

function releaseOf({ preview, ...request }: PreviewRequest): DeployRequest {
  return {
    ...request,
    database: preview.database,
    create: true,
    isClaimExpected: true,
    allowBreakingClients: true,
    allowIrreversible: true,
    onFailure: 'keep'
  }
}

function guard({ preview }: PreviewRequest, { server }: PreviewTools, standing: Known): DeployTools['server'] {
  return guarded(server, preview.database, standing)
}

/** Why the module can't be brought to the database as it is; `undefined` when it was, or when something else stood in the way. */
function obstacleToUpdating({ result, judgement, unmet = [] }: Deployment): string | undefined {
  if (result !== 'refused') return undefined
  if (judgement?.verdict === 'manual') return 'the server can not migrate it in place'
  return unmet.length > 0 ? 'its data does not allow the migration' : undefined
}

async function remake(request: PreviewRequest, tools: PreviewTools, why: string): Promise<PreviewUpdate> {
  if (request.dryRun) return { result: 'planned', remadeBecause: why }
  tools.narrator.tell(`The preview is deleted and made anew: ${why}.`)
  const deletion = await deletePreview(request.preview, tools)
  if (deletion.kind === 'refused') return { result: 'refused', reason: deletion.reason }
  if (deletion.kind === 'failed') return { result: deletion.isUnknown ? 'unknown' : 'failed', reason: deletion.reason }
  const made = await create(request, tools)
  return { ...made, result: made.result === 'created' ? 'remade' : made.result, remadeBecause: why }
}

/** A new database that is not filled to the end is deleted again: else the next run would take it for a whole one. */
async function create(request: PreviewRequest, tools: PreviewTools): Promise<PreviewUpdate> {
  const server = guard(request, tools, { kind: 'absent' })
  if (request.seed === undefined) return ended(await deploy(releaseOf(request), { ...tools, server }))
  let obstacle: string | undefined
  let isUnsettled = false
  const fill = filler(request.seed, request.preview.database, { ...tools, server }, (reason) => {
    obstacle = reason
    if (reason === undefined) tools.rememberUnfilled(false)
  })
  const remember: DeployTools['remember'] = (checkpoint) => {
    isUnsettled = checkpoint.phase === 'unsettled'
    tools.remember(checkpoint)
  }
  tools.rememberUnfilled(true)
  const update = ended(await deploy({ ...releaseOf(request), fill }, { ...tools, server, remember }))
  if (obstacle === undefined) {
    // A database whose creation nobody has seen the end of is not filled.
    tools.rememberUnfilled(isUnsettled)
    return update
  }
  const unfilled = await deletePreview(request.preview, tools)
  tools.rememberUnfilled(unfilled.kind === 'failed')
  return { ...update, result: 'failed', reason: obstacle, unfilled }
}

function ended(deployment: Deployment): PreviewUpdate {
  const { result, reason } = deployment
  return { result, deployment, ...(reason !== undefined && { reason }) }
}
