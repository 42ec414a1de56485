import { createHash } from 'node:crypto'
import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { fetchModule } from '../../src/image/oci/module-artifact.ts'
import { parseReference } from '../../src/image/oci/reference.ts'
import { startServer } from '../embedded/server.ts'
import { fixtureModule } from '../fixtures.ts'
import { payloadOf } from '../image/events.ts'
import { open } from '../image/oci/registries.ts'
import { registryUser, startRegistry } from '../stand-ins/registry.ts'
import { type DockerCall, publishImage } from './docker-stage.ts'
import { hashOf } from './stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(90_000)

const push = payloadOf('push')
const event = { name: 'push', payload: { ...push, repository: { ...push.repository, default_branch: 'main' } } }
const githubToken = 'ghs_16C7e42F292c6912E7710c838347Ae178B4a'
const password = 'correct-horse-battery-staple'
const buildSecret = 'npm_Zs7hJ4kQ9vX2'
const secrets = () => [githubToken, password, buildSecret]

/** What a container would serve: the fixture, published as `smoke-test`. */
const server = await startServer()
const port = Number(new URL(server.url).port)
await fetch(`${server.url}/v1/database/smoke-test`, {
  method: 'PUT',
  headers: { authorization: `Bearer ${await server.issueToken('image')}` },
  body: fixtureModule('counter.wasm')
})
afterAll(() => server.close())

const afresh = { 'no-cache': 'true', pull: 'true' }
const commands = (calls: readonly DockerCall[]) => calls.map(({ what }) => what)
const builds = (calls: readonly DockerCall[]) => calls.filter(({ what }) => what === 'buildx build')
const errors = (annotations: readonly { level: string; message: string }[]) =>
  annotations.filter(({ level }) => level === 'error').map(({ message }) => message)
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

test.concurrent('an image is pushed, tried by its digest, and tagged last', async () => {
  const ran = await publishImage({
    event,
    githubToken,
    secrets,
    inputs: { smoke: 'true', platforms: 'linux/amd64,linux/arm64' },
    docker: { port }
  })
  const { main, post, calls, registry } = ran
  expect(main.exitCode).toBe(0)
  const image = 'ghcr.io/octocat/game'
  const { digest = '' } = main.outputs
  expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/)
  expect(main.outputs).toEqual({
    image,
    digest,
    pushed: 'true',
    tags: `${image}:main\n${image}:latest\n${image}:sha-7fd1a60`,
    'module-hash': hashOf('counter')
  })
  expect(commands(calls).filter((what) => what !== 'inspect')).toEqual([
    'login',
    'buildx inspect',
    'buildx imagetools inspect',
    'version',
    'buildx build',
    'pull',
    'run',
    'port',
    'rm',
    'buildx imagetools create',
    ...Array(3).fill('buildx imagetools inspect'),
    'image'
  ])
  const [build] = builds(calls)
  expect(build?.args).toContain(
    `--output=type=image,name=${image},push-by-digest=true,name-canonical=true,push=true,rewrite-timestamp=true`
  )
  expect(build?.context).toEqual(['entrypoint.sh', 'module.wasm'])
  expect(calls.find(({ what }) => what === 'run')?.args).toContain(`${image}@${digest}`)
  expect(registry).toEqual(
    Object.fromEntries(['main', 'latest', 'sha-7fd1a60'].map((tag) => [`${image}:${tag}`, digest]))
  )
  const login = calls.find(({ what }) => what === 'login')
  expect(login).toMatchObject({
    args: ['login', '--username', 'octocat', '--password-stdin', 'ghcr.io'],
    passwordHash: sha256(githubToken),
    configMode: 0o700
  })
  expect(calls.flatMap(({ variables }) => variables)).toEqual([])
  expect(main.files).not.toContainEqual(expect.stringContaining('config.json'))
  expect(main.summary).toContain(digest)
  expect(main.leftProcesses).toBe(false)
  expect(post.exitCode).toBe(0)
})

test.concurrent("docker's own builder builds into the engine, tries, and pushes what is in its cache", async () => {
  const { main, calls } = await publishImage({
    event,
    secrets,
    inputs: { image: '127.0.0.1:9/game', smoke: 'true', tags: 'type=raw,value=one', ...afresh },
    docker: { driver: 'docker', port }
  })
  expect(errors(main.annotations)).toEqual([])
  const [first, second, ...more] = builds(calls)
  expect(first?.args).toEqual(expect.arrayContaining(['--load', '--no-cache', '--pull']))
  expect(second?.args).not.toContain('--no-cache')
  expect(second?.args).not.toContain('--pull')
  expect(second?.args).toEqual(expect.arrayContaining(['--push', '--tag=127.0.0.1:9/game:one']))
  expect(more).toEqual([])
  expect(commands(calls)).not.toContain('login')
  expect(main.outputs.digest).toMatch(/^sha256:/)
})

describe('a pull request', () => {
  const payload = payloadOf('pull_request', ({ action }) => action === 'opened')
  const request = {
    event: { name: 'pull_request', payload },
    env: { GITHUB_REF: `refs/pull/${payload.number}/merge`, GITHUB_REF_NAME: `${payload.number}/merge` },
    githubToken,
    secrets
  }

  test.concurrent('is built and tried, and not pushed', async () => {
    const { main, calls } = await publishImage({ ...request, inputs: { smoke: 'true' }, docker: { port } })
    expect(main.exitCode).toBe(0)
    expect(main.outputs).toMatchObject({ pushed: 'false', tags: expect.stringContaining(`:pr-${payload.number}`) })
    expect(main.outputs).not.toHaveProperty('digest')
    expect(builds(calls)).toHaveLength(1)
    expect(builds(calls)[0]?.args).toContain('--load')
    expect(commands(calls)).not.toContain('login')
    expect(main.log).toContain('push-pull-requests')
  })

  test.concurrent('is pushed when that is asked for', async () => {
    const { main, registry } = await publishImage({ ...request, inputs: { 'push-pull-requests': 'true' } })
    expect(main.outputs.pushed).toBe('true')
    expect(registry).toHaveProperty([`ghcr.io/octocat/game:pr-${payload.number}`], main.outputs.digest)
  })
})

test.concurrent('secrets reach a build by files, passwords by the standard input', async () => {
  const { main, calls } = await publishImage({
    event,
    secrets,
    githubToken,
    env: { ACTIONS_RUNTIME_TOKEN: 'runtime', ACTIONS_RESULTS_URL: 'https://results.example/' },
    inputs: {
      image: 'registry.example/game',
      username: 'ada',
      password,
      secrets: `npm=${buildSecret}`,
      'secret-envs': 'path=PATH',
      'build-args': 'MODE=release',
      labels: 'team=blue'
    },
    docker: { prints: `npm ${buildSecret}` }
  })
  expect(errors(main.annotations)).toEqual([])
  const [build] = builds(calls)
  expect(build?.secrets).toEqual([`${sha256(buildSecret)} 600`, 'id=path,env=PATH'])
  expect(build?.args).toEqual(
    expect.arrayContaining([
      '--build-arg=MODE=release',
      '--label=team=blue',
      '--cache-from=type=gha,scope=docker-publish'
    ])
  )
  expect(build?.variables).toEqual(['ACTIONS_RUNTIME_TOKEN', 'ACTIONS_RESULTS_URL'])
  expect(calls.filter(({ what }) => what !== 'buildx build').flatMap(({ variables }) => variables)).toEqual([])
  expect(calls.find(({ what }) => what === 'login')?.passwordHash).toBe(sha256(password))
  expect(main.log).toContain('#1 npm ***')
})

test.concurrent('the server comes from a digest, where its tag leads to one', async () => {
  const digest = `sha256:${'5'.repeat(64)}`
  const { calls } = await publishImage({
    event,
    secrets,
    inputs: { push: 'false', 'base-image': 'debian:12' },
    registry: { 'clockworklabs/spacetime:v2.8.3': digest }
  })
  expect(builds(calls)[0]?.args).toEqual(
    expect.arrayContaining([
      `--build-arg=SERVER_IMAGE=clockworklabs/spacetime:v2.8.3@${digest}`,
      '--build-arg=BASE_IMAGE=debian:12'
    ])
  )
})

test.concurrent('the module is stored alone before a tag is moved', async () => {
  const registry = await startRegistry({ login: 'bearer' })
  const { main, calls } = await publishImage({
    event,
    secrets: () => [registryUser.password],
    inputs: {
      image: `${registry.host}/octocat/game`,
      ...registryUser,
      tags: 'one',
      'module-artifact': 'true'
    }
  })
  expect(errors(main.annotations)).toEqual([])
  const { 'module-artifact': artifact = '', 'module-digest': digest } = main.outputs
  expect(artifact).toBe(`${registry.host}/octocat/game@${digest}`)
  const opened = open(registry.host, registryUser).registry
  expect((await fetchModule(opened, parseReference(artifact))).hash).toBe(hashOf('counter'))
  expect(commands(calls)).toContain('buildx build')
  await registry.close()
})

describe('no tag is moved', () => {
  test.concurrent('when the image is not healthy', async () => {
    const state = { Status: 'exited', ExitCode: 3 }
    const { main, calls, registry } = await publishImage({
      event,
      githubToken,
      secrets,
      inputs: { smoke: 'true' },
      docker: { port, state }
    })
    expect(errors(main.annotations)).toEqual([expect.stringMatching(/ended with exit code 3.*No tag was moved/s)])
    expect(main.exitCode).toBe(1)
    expect(main.outputs).toMatchObject({ pushed: 'false' })
    expect(main.log).toContain('the log of the container')
    expect(registry).toEqual({})
    expect(commands(calls)).toEqual(expect.arrayContaining(['rm', 'image']))
  })

  test.concurrent('when it serves another module', async () => {
    const other = await startServer()
    await fetch(`${other.url}/v1/database/smoke-test`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${await other.issueToken('image')}` },
      body: fixtureModule('counter-additive.wasm')
    })
    const docker = { port: Number(new URL(other.url).port) }
    const { main, registry } = await publishImage({ event, githubToken, secrets, inputs: { smoke: 'true' }, docker })
    await other.close()
    expect(errors(main.annotations)).toEqual([expect.stringMatching(/Checks failed/)])
    expect(registry).toEqual({})
  })
})

test.concurrent('a killed step leaves no login, secret or container behind', async () => {
  const { main, post, calls } = await publishImage({
    event,
    githubToken,
    secrets,
    // Removed by the post step, which is what is tested.
    filesForSecrets: [/config\.json$/, /secrets\/npm$/],
    inputs: { smoke: 'true', secrets: `npm=${buildSecret}` },
    docker: { hangs: 'run', port },
    killAt: 'run'
  })
  expect(main.signal).toBe('SIGKILL')
  expect(main.files).toContainEqual(expect.stringMatching(/config\.json$/))
  expect(post.exitCode).toBe(0)
  expect(post.files.filter((file) => /docker-/.test(file))).toEqual([])
  expect(commands(calls).slice(-2)).toEqual(['rm', 'image'])
})

test.concurrent.each([
  { title: 'no module', inputs: { module: '' }, says: /`module`.*`artifact`.*`dockerfile`/ },
  { title: 'a wrong rule', inputs: { tags: 'type=pep440' }, says: /`tags`.*`pep440`.*`semver`/ },
  { title: 'an image with a tag', inputs: { image: 'ghcr.io/o/g:latest' }, says: /`image`.*has a tag/ },
  { title: 'two ways to name images', inputs: { image: 'a/b', images: 'a/b' }, says: /`image`.*`images`/ },
  { title: 'a wrong label', inputs: { labels: 'blue' }, says: /`labels`: line 1, `blue`/ },
  { title: 'a password without a user', inputs: { image: 'r.example/g', password }, says: /Give `username` too/ },
  {
    title: 'platforms that are none',
    inputs: { platforms: 'arm64' },
    says: /`platforms`.*`linux\/amd64,linux\/arm64`/
  },
  {
    title: 'no tag for this event',
    inputs: { tags: 'type=schedule' },
    says: /No line of the input `tags`.*`type=sha`/
  },
  { title: 'no docker', docker: 'none', inputs: {}, says: /docker.*was not found.*ubuntu-latest/ },
  {
    title: 'no daemon',
    docker: {
      fails: {
        'buildx inspect':
          'ERROR: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?'
      }
    },
    inputs: {},
    says: /No Docker daemon answers/
  },
  {
    title: 'no permission to push',
    docker: { fails: { 'buildx build': 'ERROR: failed to push: denied: permission_denied: write_package' } },
    inputs: {},
    says: /`permissions: packages: write`/
  },
  {
    title: 'smoke without the platform of this machine',
    inputs: { smoke: 'true', platforms: 'linux/arm64' },
    says: /one of the `platforms` has to be linux\/amd64/
  }
] as const)('$title is said in one error', async ({ inputs, says, ...docker }) => {
  const given = { docker: 'docker' in docker ? docker.docker : {} }
  const { main, post } = await publishImage({ event, githubToken, secrets, inputs, ...given })
  expect(errors([...main.annotations, ...post.annotations])).toEqual([expect.stringMatching(new RegExp(says, 's'))])
  expect(main.exitCode).toBe(1)
  expect(main.outputs.pushed).toBe('false')
  expect(main.files.filter((file) => /docker-/.test(file))).toEqual([])
})
