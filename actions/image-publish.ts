import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { warn } from '../src/action/annotations.ts'
import type { Environment } from '../src/action/inputs.ts'
import { log } from '../src/action/log.ts'
import { systemClock } from '../src/clock.ts'
import { ConfigurationError } from '../src/errors.ts'
import {
  type Astray,
  type Build,
  type Builder,
  buildImage,
  type Destination,
  digestOf,
  enginePlatform,
  tagDigest
} from '../src/image/buildx.ts'
import { type Docker, runDocker } from '../src/image/docker.ts'
import type { ImageName } from '../src/image/images.ts'
import { cacheVariables } from './image-build.ts'
import type { Plan } from './image-plan.ts'
import type { Tried } from './image-trial.ts'

/** All that is needed to make an image. */
export type Making = {
  readonly docker: Docker
  readonly plan: Plan
  readonly build: Build
  readonly builder: Builder
  readonly root: string
  readonly environment: Environment
}

/** What is to be done with it besides. */
export type Work = Making & {
  readonly load: boolean
  readonly smoke: boolean
  /** Tries an image that the engine has. */
  readonly tryImage: (image: string) => Promise<Tried>
  /** Told a name in the engine that nobody but this step uses, before it is there. */
  readonly onEngineImage: (image: string) => void
  /** Stores what is named by its content alone, before any tag is moved. */
  readonly beforeTags: () => Promise<void>
}

/** What became of it. */
export type Published =
  | { readonly kind: 'pushed'; readonly digest: string }
  | { readonly kind: 'built' }
  /** No tag was moved. */
  | { readonly kind: 'bad'; readonly reason: string }

/**
 * Builds, tries and pushes. What was tried is what is tagged: with a builder that can push without a tag, the image is
 * pushed by its digest, pulled, tried and then tagged. Docker's own builder can't: it builds into the engine first, and what
 * is pushed then comes from its cache.
 */
export async function publishImage(work: Work): Promise<Published> {
  const { plan, builder, smoke } = work
  if (plan.push && smoke && builder.driver !== 'docker') return pushThenTag(work)
  if (smoke) {
    const tried = await tryFromEngine(work)
    if (tried.kind === 'bad') return tried
  }
  if (plan.push) await work.beforeTags()
  const digest = plan.push ? await pushWithTags(smoke ? sameAgain(work) : work) : undefined
  const hasBuilt = smoke || digest !== undefined
  if (work.load) await loadImage(hasBuilt ? sameAgain(work) : work, plan.names)
  // What only tries whether it builds, unless that was seen already.
  if (digest === undefined && !((smoke || work.load) && work.build.platforms.length <= 1)) {
    await run(hasBuilt || work.load ? sameAgain(work) : work, { kind: 'nowhere' })
  }
  return digest === undefined ? { kind: 'built' } : { kind: 'pushed', digest }
}

/** What is built once more has to be what was built before: it comes from the builder's cache, whatever the inputs say of caches. */
function sameAgain(work: Work): Work {
  return { ...work, build: { ...work.build, noCache: false, pull: false } }
}

async function pushThenTag(work: Work): Promise<Published> {
  const { docker, plan } = work
  const [first] = plan.images
  await insistOnOwnPlatform(work)
  const digest = await pushWithoutTag(work)
  const image = `${first.name}@${digest}`
  work.onEngineImage(image)
  await runDocker(docker, ['pull', '--quiet', image], { undertaking: pushing(plan), timeout: 15 * 60_000 })
  const tried = await work.tryImage(image)
  if (tried.kind === 'bad') return tried
  await work.beforeTags()
  await tagImages(work, digest)
  if (work.load) await loadImage(sameAgain(work), plan.names)
  return { kind: 'pushed', digest }
}

/**
 * Builds an image and pushes it, and moves none of the tags that it is to have: those are `tagImages`' to move, when the
 * image has earned them. Docker's own builder can't push without a tag: it gets `unfollowed`, which nobody looks at. Answers the
 * digest.
 */
export async function stageImage(work: Making, unfollowed: string): Promise<string> {
  const { docker, plan, builder } = work
  if (builder.driver !== 'docker') return pushWithoutTag(work)
  const tags = plan.images.map(({ name }) => `${name}:${unfollowed}`)
  const { digest } = await run(work, { kind: 'tags', tags, rewriteTimes: false })
  return digest ?? digestOf(docker, `${plan.images[0].name}:${unfollowed}`)
}

/** Moves the tags of a plan to what its registries have by a digest. Throws a `ConfigurationError` when one can't be moved. */
export async function tagImages({ docker, plan }: Pick<Making, 'docker' | 'plan'>, digest: string): Promise<void> {
  for (const name of plan.images) {
    tellAstray(await tagDigest(docker, name, { digest, tags: plan.tags, clock: systemClock }), digest)
    log(`${name.name}: ${plan.tags.join(', ')}`)
  }
}

async function pushWithoutTag(work: Making): Promise<string> {
  const { images } = work.plan
  const { digest } = await run(work, { kind: 'digest', images, rewriteTimes: true })
  if (digest === undefined) throw new Error('buildx pushed the image and said no digest.')
  log(`Pushed ${images[0].name}@${digest}, without a tag.`)
  return digest
}

function tellAstray(astray: readonly Astray[], digest: string): void {
  for (const { name, found = 'nothing that could be read' } of astray) {
    warn(
      'The tag of an image',
      `${name} was moved to ${digest}, which was checked, and the registry says that it leads to ${found}: it shows the tag late, or somebody else has moved it since. Look at it again, and take the digest where it matters.`
    )
  }
}

/** Else there would be nothing to try. */
async function insistOnOwnPlatform({ docker, build }: Work): Promise<void> {
  const own = await enginePlatform(docker)
  const isAmong =
    build.platforms.length === 0 || build.platforms.some((platform) => `${platform}/`.startsWith(`${own}/`))
  if (isAmong) return
  throw new ConfigurationError(
    `With \`smoke: true\` one of the \`platforms\` has to be ${own}, which this machine runs. Add it, or leave out \`smoke\`.`
  )
}

async function tryFromEngine(work: Work): Promise<Tried> {
  const image = `stdb-smoke:${randomUUID().slice(0, 12)}`
  work.onEngineImage(image)
  await insistOnOwnPlatform(work)
  await loadImage(work, [image])
  return work.tryImage(image)
}

/** An engine holds one platform: its own, of several. */
async function loadImage(work: Work, tags: readonly string[]): Promise<void> {
  const { docker, build } = work
  const platforms = build.platforms.length > 1 ? [await enginePlatform(docker)] : build.platforms
  await run({ ...work, build: { ...build, platforms } }, { kind: 'engine', tags })
}

async function pushWithTags(work: Work): Promise<string> {
  const { docker, plan, builder } = work
  const rewriteTimes = builder.driver !== 'docker'
  const built = await run(work, { kind: 'tags', tags: plan.names, rewriteTimes })
  // An engine of before 2022 does not say what it pushed.
  return built.digest ?? digestOf(docker, `${plan.images[0].name}:${plan.tags[0]}`)
}

function run({ docker, plan, build, root, environment }: Making, to: Destination) {
  log(`Building ${whither(to)} …`)
  return buildImage(docker, build, to, {
    metadataFile: join(root, 'metadata.json'),
    undertaking: to.kind === 'tags' || to.kind === 'digest' ? pushing(plan) : { kind: 'build' },
    timeout: 3 * 60 * 60_000,
    environment: cacheVariables(build, environment),
    onLine: log
  })
}

function whither(to: Destination): string {
  if (to.kind === 'nowhere') return 'without keeping it'
  if (to.kind === 'digest') return `and pushing ${to.images.map(({ name }) => name).join(', ')} without a tag`
  return `${to.kind === 'engine' ? 'into the engine' : 'and pushing'}: ${to.tags.join(', ')}`
}

function pushing({ images }: { readonly images: readonly [ImageName, ...ImageName[]] }) {
  return { kind: 'push', registry: images[0].host, images: images.map(({ name }) => name) } as const
}
