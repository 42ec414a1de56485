import type { Outputs } from '../../src/action/spec.ts'
import { systemClock } from '../../src/clock.ts'
import { inspectBuilder } from '../../src/image/buildx.ts'
import type { Docker } from '../../src/image/docker.ts'
import { code, sections, table } from '../../src/markdown.ts'
import type { Made } from '../../src/release/ready.ts'
import { dockerIn } from '../docker-program.ts'
import type { GivenModule } from '../given-module.ts'
import { prepareBuild } from '../image-build.ts'
import { LeftKeeper } from '../image-leftovers.ts'
import { openRegistryLogin } from '../image-login.ts'
import { type Plan, planImage } from '../image-plan.ts'
import { stageImage, tagImages } from '../image-publish.ts'
import { leftoversFolder } from '../leftovers.ts'
import { pushModuleArtifact } from '../module-artifact.ts'
import type { ReleasingStep } from '../releasing.ts'
import type { spec } from './spec.ts'

export type ImageInputs = {
  /** Names, or `true` for the one of the repository. */
  readonly publishImage: string
  readonly tags: string | undefined
  readonly version: string
  readonly username: string | undefined
  readonly password: string | undefined
  readonly githubToken: string | undefined
}

type ImageStep = ReleasingStep & { setOutputs(outputs: Outputs<typeof spec>): void }

type ImageWork = {
  readonly inputs: ImageInputs
  readonly given: GivenModule
  readonly step: ImageStep
  readonly plan: Plan
  readonly docker: Docker
  /** What is to be removed: the login, and what was only for the build. */
  readonly kept: LeftKeeper
}

/** What is in the registry: by its digest, and whether its tags lead to it. */
type Pushed = { readonly digest: string; readonly moduleArtifact: string; readonly isTagged: boolean }

/**
 * Plans the image of a release; nothing is asked of docker yet. Throws a `ConfigurationError` for inputs that are wrong.
 */
export async function openReleaseImage(
  inputs: ImageInputs,
  given: GivenModule,
  step: ImageStep
): Promise<ReleaseImage> {
  const named = inputs.publishImage === 'true' ? undefined : inputs.publishImage
  const plan = await planImage(
    { ...asUsual, images: named, imagesInput: 'publish-image', tags: inputs.tags },
    given,
    step.environment,
    systemClock.now()
  )
  step.setOutputs({ image: plan.images[0].name, pushed: 'false' })
  const kept = new LeftKeeper(leftoversFolder('docker', step.environment))
  const docker = dockerIn(kept.root, step.environment, step.cancellation.signal)
  return new ReleaseImage({ inputs, given, step, plan, docker, kept })
}

/** What `docker-publish` can be told, and a deploy can't. */
const asUsual = {
  image: undefined,
  labels: undefined,
  push: true,
  pushPullRequests: false,
  moduleArtifact: true
} as const

const builtAsUsual = {
  buildInImage: false,
  path: undefined,
  serverImage: undefined,
  baseImage: undefined,
  dockerfile: undefined,
  context: undefined,
  buildArgs: undefined,
  secrets: undefined,
  secretEnvs: undefined,
  secretFiles: undefined,
  target: undefined,
  network: undefined,
  platforms: undefined,
  builder: undefined,
  cacheFrom: undefined,
  cacheTo: undefined,
  noCache: false,
  pull: false,
  provenance: undefined,
  sbom: undefined
} as const

/**
 * The image of a release: pushed by its digest before the module is published, so that no release lacks its image, and
 * tagged when the release is kept, so that no tag leads to what was not.
 */
export class ReleaseImage {
  readonly #work: ImageWork
  #pushed: Pushed | undefined

  constructor(work: ImageWork) {
    this.#work = work
  }

  /**
   * Builds and pushes it without its tags, and stores the module alone beside it; of what is not merged yet nothing. Throws a
   * `ConfigurationError` with the cure when that fails for a reason that is known.
   */
  async stage(): Promise<Made> {
    const { inputs, given, step, plan, docker, kept } = this.#work
    if (plan.heldBack !== undefined) return {}
    const { environment, cancellation } = step
    const { root } = kept
    const login = { ...inputs, registry: undefined, moduleArtifact: 'publish-image' } as const
    const credential = await openRegistryLogin(docker, { root, plan, inputs: login, environment })
    const builder = await inspectBuilder(docker, undefined)
    const build = await prepareBuild(docker, {
      inputs: { ...builtAsUsual, version: inputs.version },
      plan,
      given,
      builder,
      environment,
      root
    })
    const unfollowed = `staged-${given.module.hash.slice(0, 12)}`
    const digest = await stageImage({ docker, plan, build, builder, root, environment }, unfollowed)
    step.setOutputs({ digest })
    const { reference: moduleArtifact } = await pushModuleArtifact(given, plan, credential, cancellation.signal)
    step.setOutputs({ moduleArtifact })
    this.#pushed = { digest, moduleArtifact, isTagged: false }
    return { image: `${plan.images[0].name}@${digest}`, moduleArtifact }
  }

  /** When the release is kept: moves the tags to it, after making it where it was not made yet. Throws as `stage` does. */
  async keep(): Promise<void> {
    const { step, plan, docker } = this.#work
    if (this.#pushed === undefined) await this.stage()
    if (this.#pushed === undefined) return
    await tagImages({ docker, plan }, this.#pushed.digest)
    this.#pushed = { ...this.#pushed, isTagged: true }
    step.setOutputs({ pushed: 'true' })
  }

  /** What became of it, as Markdown. */
  report(): string {
    const { plan } = this.#work
    const [{ name }] = plan.images
    const pushed = this.#pushed
    if (pushed === undefined) {
      const why = plan.heldBack === undefined ? 'nothing was released' : 'what is not merged yet gets none'
      return `No image ${code(name)} was made: ${why}.\n`
    }
    const { digest, moduleArtifact, isTagged } = pushed
    const headline = isTagged ? `📦 ${code(name)} was pushed` : `⚠️ ${code(name)} was pushed, and no tag leads to it`
    const rows = [
      ['Digest', code(digest)],
      [isTagged ? 'Tags' : 'Tags, not moved', plan.names.map(code).join('<br>')],
      ['Module alone', code(moduleArtifact)]
    ]
    return `${sections([`## ${headline}`, table(['', ''], rows)])}\n`
  }

  /** Removes the login and all else that was only for this step. */
  async remove(): Promise<void> {
    await this.#work.kept.remove(this.#work.docker)
  }
}
