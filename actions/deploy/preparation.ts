import type { Connection } from '../../src/action/connection.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs, Outputs } from '../../src/action/spec.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { messageOf } from '../../src/errors.ts'
import { type Deployment, isSuccess } from '../../src/release/deployment.ts'
import type { DeployRequest, DeployTools } from '../../src/release/work.ts'
import type { GivenModule } from '../given-module.ts'
import type { ReleaseImage } from './image.ts'
import type { DeployRehearsal } from './rehearsing.ts'
import type { spec } from './spec.ts'

type DeployInputs = Inputs<typeof spec>
type DeployStep = Step<typeof spec>

export type Prepared = {
  readonly inputs: DeployInputs
  readonly request: DeployRequest
  readonly source: GivenModule
  readonly live: Connection
  /** For reports. */
  readonly folder: string
}

/** What a release is prepared by when it is allowed, and what is left to do when it is over. */
export type Preparation = {
  readonly beforeChange: NonNullable<DeployTools['beforeChange']>
  /** Gives a kept release's image its tags, and reports. */
  conclude(deployment: Deployment): Promise<{
    readonly outputs: Outputs<typeof spec>
    readonly failing?: Pick<Outcome<typeof spec>, 'failure'>
  }>
  remove(): Promise<void>
}

/**
 * The rehearsal and the image of a release; `undefined` when neither is wanted. Both are code that most deploys do without.
 * Throws a `ConfigurationError` for inputs about them that are wrong.
 */
export async function preparationFor(prepared: Prepared, step: DeployStep): Promise<Preparation | undefined> {
  const { inputs, source } = prepared
  const { publishImage } = inputs
  const rehearsing = inputs.rehearse === 'live' ? await import('./rehearsing.ts') : undefined
  const seed = await rehearsing?.seedIn(inputs.seed)
  const image =
    publishImage === undefined
      ? undefined
      : await (await import('./image.ts')).openReleaseImage({ ...inputs, publishImage }, source, step)
  if (rehearsing === undefined && image === undefined) return undefined
  let rehearsal: DeployRehearsal | undefined
  return {
    beforeChange: async ({ exists, journal }) => {
      if (rehearsing && exists) {
        rehearsal = await journal.step('Rehearse', async (notes) => {
          const rehearsed = await rehearsing.rehearseDeploy({ ...prepared, given: source, seed }, inputs, step)
          if (rehearsed.readied.kind === 'ready') notes.detail('it works, on a server that is thrown away')
          else notes.fail(rehearsed.readied.reason)
          return rehearsed
        })
        if (rehearsal.readied.kind === 'not-ready' || step.cancellation.requested) return rehearsal.readied
      }
      if (image === undefined) return { kind: 'ready' }
      const made = await journal.step('Make the image', async (notes) => {
        const made = await image.stage()
        notes.detail(made.image ?? 'none is made of what is not merged yet')
        return made
      })
      return { kind: 'ready', made }
    },
    conclude: async (deployment) => {
      if (rehearsal?.report !== undefined) await writeSummary(rehearsal.report, step.environment)
      const failing = image && (await concludeImage(image, deployment, inputs.dryRun, step))
      return { outputs: { rehearsal: rehearsal?.path }, ...(failing && { failing }) }
    },
    remove: async () => image?.remove()
  }
}

async function concludeImage(
  image: ReleaseImage,
  { result }: Deployment,
  isDryRun: boolean,
  { environment }: DeployStep
): Promise<Pick<Outcome<typeof spec>, 'failure'>> {
  try {
    if (isSuccess(result) && !isDryRun) await image.keep()
    return {}
  } catch (error) {
    const message = `The release is live and kept, and its image is not all there: ${messageOf(error)} Run the job again: a module that is live already is only checked, and its image gets its tags.`
    return { failure: { title: 'deploy: the image', message } }
  } finally {
    await writeSummary(image.report(), environment)
  }
}
