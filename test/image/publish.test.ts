import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { type Making, publishImage, stageImage } from '../../actions/image-publish.ts'
import type { Docker } from '../../src/image/docker.ts'
import { imageNames } from '../../src/image/images.ts'
import { quietLog } from '../quiet-log.ts'
import { plainBuild } from './builds.ts'

quietLog()

const root = mkdtempSync(join(tmpdir(), 'publish-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const digest = `sha256:${'d'.repeat(64)}`

type Run = {
  readonly driver: string
  readonly push: boolean
  readonly smoke: boolean
  readonly load: boolean
  readonly platforms?: readonly string[]
}

/** The arguments of each build, in their order. */
async function buildsOf({ smoke, load, ...run }: Run): Promise<(readonly string[])[]> {
  const builds: (readonly string[])[] = []
  await publishImage({
    ...makingOf(run, builds),
    load,
    smoke,
    tryImage: async () => ({ kind: 'good' }),
    onEngineImage: () => {},
    beforeTags: async () => {}
  })
  return builds
}

/** What an image is made with; the arguments of each build are added to `builds`. */
function makingOf(
  { driver, push, platforms = [] }: Pick<Run, 'driver' | 'push' | 'platforms'>,
  builds: (readonly string[])[]
) {
  const docker: Docker = {
    run: async ({ args }) => {
      const metadata = args.find((arg) => arg.startsWith('--metadata-file='))?.split('=')[1]
      if (metadata !== undefined) builds.push(args)
      if (metadata !== undefined) writeFileSync(metadata, JSON.stringify({ 'containerimage.digest': digest }))
      return { exitCode: 0, stdout: args[0] === 'version' ? 'linux/amd64\n' : JSON.stringify({ digest }), stderr: '' }
    },
    environment: {},
    folder: root
  }
  const [image] = imageNames('r.example/game', 'image')
  if (image === undefined) throw new Error('no image')
  const names = ['r.example/game:main']
  const where = { time: 0, source: undefined, commit: undefined }
  return {
    docker,
    plan: { images: [image], tags: ['main'], names, labels: [], push, ...where },
    build: { ...plainBuild, platforms, noCache: true, pull: true },
    builder: { name: 'builder', driver },
    root,
    environment: {}
  } satisfies Making
}

const both = ['linux/amd64', 'linux/arm64']

test.each<{ readonly run: Run; readonly count: number }>([
  { run: { driver: 'docker', push: true, smoke: true, load: false }, count: 2 },
  { run: { driver: 'docker', push: true, smoke: true, load: true }, count: 3 },
  { run: { driver: 'docker', push: true, smoke: false, load: true }, count: 2 },
  { run: { driver: 'docker', push: false, smoke: false, load: false }, count: 1 },
  { run: { driver: 'docker', push: false, smoke: true, load: false }, count: 1 },
  { run: { driver: 'docker-container', push: true, smoke: true, load: true }, count: 2 },
  { run: { driver: 'docker-container', push: false, smoke: true, load: false, platforms: both }, count: 2 },
  { run: { driver: 'docker-container', push: false, smoke: false, load: true, platforms: both }, count: 2 }
])('only the first of $count builds is afresh: $run', async ({ run, count }) => {
  const builds = await buildsOf(run)
  expect(builds).toHaveLength(count)
  const afresh = builds.map((args) => args.filter((arg) => arg === '--no-cache' || arg === '--pull'))
  expect(afresh).toEqual([['--pull', '--no-cache'], ...Array(count - 1).fill([])])
})

test.each([
  { driver: 'docker-container', to: ['--output=type=image,name=r.example/game,push-by-digest=true'] },
  { driver: 'docker', to: ['--push', '--tag=r.example/game:staged'] }
])('an image is staged by $driver without moving its tags', async ({ driver, to }) => {
  const builds: (readonly string[])[] = []
  const making = makingOf({ driver, push: true }, builds)
  expect(await stageImage(making, 'staged')).toBe(digest)
  expect(builds).toHaveLength(1)
  const [args = []] = builds
  for (const start of to) expect(args).toContainEqual(expect.stringContaining(start))
  expect(args.join(' ')).not.toContain('game:main')
})
