import { describe, expect, test } from '@jest/globals'
import type { Clock } from '../../src/clock.ts'
import { type Build, buildArguments, type Destination, digestIn, tagDigest } from '../../src/image/buildx.ts'
import type { Docker } from '../../src/image/docker.ts'
import { plainBuild } from './builds.ts'

const head = ['buildx', 'build', '--progress=plain', '--file=/action/docker/Dockerfile', '--metadata-file=/tmp/m.json']
const tail = ['--build-arg=SOURCE_DATE_EPOCH=1700000000', '/tmp/context']
const game = { host: 'ghcr.io', repository: 'octocat/game', name: 'ghcr.io/octocat/game' }
const other = { host: 'r.example', repository: 'game', name: 'r.example/game' }
const tags = ['ghcr.io/octocat/game:1', 'ghcr.io/octocat/game:latest']

describe('where it goes', () => {
  test.each<{ readonly to: Destination; readonly args: readonly string[] }>([
    { to: { kind: 'nowhere' }, args: [] },
    {
      to: { kind: 'engine', tags: ['stdb-smoke:1'] },
      args: ['--load', '--provenance=false', '--tag=stdb-smoke:1']
    },
    { to: { kind: 'tags', tags, rewriteTimes: false }, args: ['--push', ...tags.map((tag) => `--tag=${tag}`)] },
    {
      to: { kind: 'tags', tags, rewriteTimes: true },
      args: ['--output=type=image,push=true,rewrite-timestamp=true', ...tags.map((tag) => `--tag=${tag}`)]
    },
    {
      to: { kind: 'digest', images: [game], rewriteTimes: true },
      args: [
        '--output=type=image,name=ghcr.io/octocat/game,push-by-digest=true,name-canonical=true,push=true,rewrite-timestamp=true'
      ]
    },
    {
      to: { kind: 'digest', images: [game, other], rewriteTimes: false },
      args: [
        '--output=type=image,"name=ghcr.io/octocat/game,r.example/game",push-by-digest=true,name-canonical=true,push=true'
      ]
    }
  ])('$to.kind', ({ to, args }) => {
    expect(buildArguments(plainBuild, to, '/tmp/m.json')).toEqual([...head, ...args, ...tail])
  })
})

test('all that a build can have', () => {
  const build: Build = {
    ...plainBuild,
    namedContexts: [['module', '/tmp/module']],
    buildArgs: [['BASE_IMAGE', 'debian:12']],
    labels: [['org.opencontainers.image.title', 'a, "b"']],
    secrets: [
      { id: 'token', from: { file: '/tmp/a,b/token' } },
      { id: 'key', from: { env: 'KEY' } }
    ],
    cacheFrom: ['type=gha'],
    cacheTo: ['type=gha,mode=max'],
    platforms: ['linux/amd64', 'linux/arm64'],
    target: 'server',
    network: 'none',
    builder: 'mine',
    provenance: 'mode=max',
    sbom: 'true',
    pull: true,
    noCache: true
  }
  expect(buildArguments(build, { kind: 'tags', tags, rewriteTimes: false }, '/tmp/m.json')).toEqual([
    'buildx',
    'build',
    '--builder=mine',
    ...head.slice(2),
    '--push',
    ...tags.map((tag) => `--tag=${tag}`),
    '--platform=linux/amd64,linux/arm64',
    '--target=server',
    '--network=none',
    '--build-context=module=/tmp/module',
    '--build-arg=BASE_IMAGE=debian:12',
    '--build-arg=SOURCE_DATE_EPOCH=1700000000',
    '--label=org.opencontainers.image.title=a, "b"',
    '--secret=id=token,"src=/tmp/a,b/token"',
    '--secret=id=key,env=KEY',
    '--cache-from=type=gha',
    '--cache-to=type=gha,mode=max',
    '--provenance=mode=max',
    '--sbom=true',
    '--pull',
    '--no-cache',
    '/tmp/context'
  ])
  const loaded = buildArguments(build, { kind: 'engine', tags }, '/tmp/m.json')
  for (const left of ['--sbom=true', '--provenance=mode=max', '--cache-to=type=gha,mode=max']) {
    expect(loaded).not.toContain(left)
  }
})

test("the digest in buildx' metadata", () => {
  const digest = `sha256:${'a'.repeat(64)}`
  expect(digestIn(JSON.stringify({ 'containerimage.digest': digest, 'image.name': 'x' }), 'm.json')).toBe(digest)
  expect(digestIn('{}', 'm.json')).toBeUndefined()
  expect(() => digestIn('{"containerimage.digest":"sha256:1"}', 'm.json')).toThrow(/m\.json/)
})

describe('tags that are put on a digest', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  const other = `sha256:${'b'.repeat(64)}`
  const name = 'ghcr.io/octocat/game:latest'

  /** The registry answers each look at the tag with the next of these; the last for ever. */
  async function tag(...answers: readonly (string | undefined)[]) {
    const waits: number[] = []
    let looks = 0
    const clock: Clock = { now: () => 0, random: () => 0, sleep: async (ms) => void waits.push(ms) }
    const docker: Docker = {
      run: async ({ args }) => {
        if (args[2] === 'create') return { exitCode: 0, stdout: '', stderr: '' }
        const found = answers[Math.min(looks++, answers.length - 1)]
        if (found === undefined) return { exitCode: 1, stdout: '', stderr: 'ERROR: not found' }
        return { exitCode: 0, stdout: JSON.stringify({ digest: found }), stderr: '' }
      },
      environment: {},
      folder: '/'
    }
    return { astray: await tagDigest(docker, game, { digest, tags: ['latest'], clock }), looks, waits }
  }

  test.each([
    { answers: [digest], astray: [], looks: 1 },
    { answers: [other, digest], astray: [], looks: 2 },
    { answers: [undefined, other, digest], astray: [], looks: 3 },
    { answers: [other], astray: [{ name, found: other }], looks: 4 },
    { answers: [undefined], astray: [{ name, found: undefined }], looks: 4 }
  ])('$looks looks, $astray', async ({ answers, astray, looks }) => {
    const tagged = await tag(...answers)
    expect(tagged).toEqual({ astray, looks, waits: [1000, 2000, 4000].slice(0, looks - 1) })
  })
})
