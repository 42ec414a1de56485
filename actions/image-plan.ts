import type { Environment } from '../src/action/inputs.ts'
import { workspaceOf } from '../src/action/workspace.ts'
import { ConfigurationError } from '../src/errors.ts'
import { commitTime } from '../src/image/commit-time.ts'
import { type GitEvent, isBeforeMerge } from '../src/image/git-event.ts'
import { type ImageName, imageNames } from '../src/image/images.ts'
import { imageLabels } from '../src/image/labels.ts'
import { type Pair, pairsIn } from '../src/image/pairs.ts'
import { imageTags, pushedTags } from '../src/image/tags.ts'
import { childEnvironment, runProgram } from '../src/process.ts'
import type { GivenModule } from './given-module.ts'
import { moduleArtifactReference } from './module-artifact.ts'
import { type RunFacts, readRunFacts } from './run-facts.ts'

/** The inputs by which it is decided what is made. */
export type ImagePlanInputs = {
  readonly image: string | undefined
  readonly images: string | undefined
  /** What the input is called that `images` is of. */
  readonly imagesInput?: string
  readonly tags: string | undefined
  readonly labels: string | undefined
  readonly push: boolean
  readonly pushPullRequests: boolean
  readonly moduleArtifact: boolean
}

/** What is to be made, and where it goes. */
export type Plan = {
  readonly images: readonly [ImageName, ...ImageName[]]
  readonly tags: readonly string[]
  /** All images with all tags. */
  readonly names: readonly string[]
  readonly labels: readonly Pair[]
  readonly push: boolean
  /** Why it is not pushed, although `push` is `true`. */
  readonly heldBack?: string
  /** Of all that is made, in seconds since the epoch. */
  readonly time: number
  readonly source: string | undefined
  readonly commit: string | undefined
}

/**
 * Decides what is made of the inputs and the run, before anything is asked of Docker. `now` in milliseconds since the epoch.
 * Throws a `ConfigurationError` for inputs that are wrong.
 */
export async function planImage(
  inputs: ImagePlanInputs,
  given: GivenModule | undefined,
  environment: Environment,
  now: number
): Promise<Plan> {
  const facts = await readRunFacts(environment)
  const images = imagesOf(inputs, environment)
  const time = await timeOf(facts, environment, now)
  const source = sourceOf(environment)
  const commit = facts.event.commit || undefined
  const heldBack = inputs.push ? whyHeldBack(inputs, facts.event) : undefined
  const push = inputs.push && heldBack === undefined
  const tags = (push ? pushedTags : imageTags)(inputs.tags, facts.event, now)
  if (push && tags.length === 0) throw noTag(facts.event)
  const { title, description, licenses } = facts
  const from = { images, time, source, commit, tags }
  const artifact = push && inputs.moduleArtifact && given ? moduleArtifactReference(given, from) : undefined
  const module = given && { ...given.module, bindingsVersion: given.manifest?.bindingsVersion, artifact }
  const described = { title, description, licenses, source, commit, version: tags[0], created: time, module }
  return {
    images,
    tags,
    names: images.flatMap(({ name }) => tags.map((tag) => `${name}:${tag}`)),
    labels: imageLabels(described, pairsIn(inputs.labels, 'labels')),
    push,
    ...(heldBack !== undefined && { heldBack }),
    time,
    source,
    commit
  }
}

/** Before the merge it is pushed when that is asked for, and what a fork brings never, whatever token the run has. */
function whyHeldBack({ pushPullRequests }: ImagePlanInputs, event: GitEvent): string | undefined {
  if (!isBeforeMerge(event)) return undefined
  if (!pushPullRequests) return 'what is not merged yet is built only; `push-pull-requests: true` pushes it'
  return event.stage === 'proposed-from-fork' ? 'what comes from a fork is built only' : undefined
}

function noTag(event: GitEvent): ConfigurationError {
  const allowed = isBeforeMerge(event) ? ' Before the merge `type=ref,event=pr` and `type=sha` are pushed alone.' : ''
  return new ConfigurationError(
    `No line of the input \`tags\` makes a tag for this event (${event.name}, ${event.ref}).${allowed} Add one that does, such as \`type=sha\`, or leave the step out with \`if:\`.`
  )
}

function imagesOf(
  { image, images, imagesInput = 'images' }: ImagePlanInputs,
  { GITHUB_REPOSITORY }: Environment
): Plan['images'] {
  const [input, given] = images === undefined ? ['image', image] : [imagesInput, images]
  if (given === undefined && !GITHUB_REPOSITORY) {
    throw new ConfigurationError(
      'Give the name of the image: outside of a run of GitHub Actions no repository names it.'
    )
  }
  const [first, ...others] = imageNames(given ?? `ghcr.io/${GITHUB_REPOSITORY}`, input)
  if (first === undefined) throw new Error('no image was named')
  return [first, ...others]
}

/** That of the commit, so that the same commit makes the same image (https://reproducible-builds.org/specs/source-date-epoch/). */
async function timeOf({ event, pushedCommitTime }: RunFacts, environment: Environment, now: number): Promise<number> {
  const { SOURCE_DATE_EPOCH: given } = environment
  if (given !== undefined && given !== '') {
    if (/^\d{1,11}$/.test(given)) return Number(given)
    throw new ConfigurationError(
      `The variable SOURCE_DATE_EPOCH is \`${given.slice(0, 40)}\`: it has to be whole seconds since the epoch.`
    )
  }
  const git = { run: runProgram, folder: workspaceOf(environment), environment: childEnvironment(environment) }
  const known = event.commit === '' ? undefined : await commitTime(event.commit, git)
  return known ?? pushedCommitTime ?? Math.floor(now / 1000)
}

function sourceOf({ GITHUB_SERVER_URL, GITHUB_REPOSITORY }: Environment): string | undefined {
  return GITHUB_SERVER_URL && GITHUB_REPOSITORY ? `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}` : undefined
}
