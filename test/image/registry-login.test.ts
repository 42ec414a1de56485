import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { spec } from '../../actions/docker-publish/spec.ts'
import { openRegistryLogin } from '../../actions/image-login.ts'
import type { Plan } from '../../actions/image-plan.ts'
import { readInputs } from '../../src/action/inputs.ts'
import type { Docker } from '../../src/image/docker.ts'
import { imageNames } from '../../src/image/images.ts'
import { quietLog } from '../quiet-log.ts'

quietLog()

const root = mkdtempSync(join(tmpdir(), 'login-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folders = 0

type Given = {
  readonly image: string
  readonly push?: boolean
  readonly config?: object
  readonly inputs?: Readonly<Record<string, string>>
  /** What stores the module alone, where it is not `module-artifact`. */
  readonly moduleArtifact?: 'publish-image'
}

/** As whom docker logs in, and as whom the registry's own API is spoken to. */
async function open({ image, push = true, config = {}, inputs = {}, moduleArtifact }: Given) {
  const folder = join(root, String(++folders))
  mkdirSync(folder)
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  const logins: string[] = []
  const docker: Docker = {
    run: async ({ args, input }) => {
      logins.push(`${args[2]}:${input}@${args.at(-1)}`)
      return { exitCode: 0, stdout: '', stderr: '' }
    },
    environment: {},
    folder
  }
  const [first] = imageNames(image, 'image')
  if (first === undefined) throw new Error('no image')
  const plan: Plan = {
    images: [first],
    tags: ['main'],
    names: [`${image}:main`],
    labels: [],
    push,
    time: 0,
    source: undefined,
    commit: undefined
  }
  const all = { module: 'module.wasm', 'module-artifact': 'true', ...inputs }
  const given = Object.entries(all).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])
  const environment = { ...Object.fromEntries(given), DOCKER_CONFIG: folder, GITHUB_ACTOR: 'octocat' }
  const asked = { ...readInputs(spec, environment), ...(moduleArtifact && { moduleArtifact }) }
  const own = { root: join(folder, 'own'), plan, inputs: asked, environment }
  const credential = await openRegistryLogin(docker, own)
  return { logins, api: credential && `${credential.username}:${credential.password}` }
}

const auth = btoa('ada:pw')
const token = { 'github-token': 'ghs_1' }

test.each<{ readonly title: string; readonly given: Given; readonly logins: readonly string[]; readonly api?: string }>(
  [
    {
      title: "ghcr.io with the job's token",
      given: { image: 'ghcr.io/o/g', inputs: token },
      logins: ['octocat:ghs_1@ghcr.io'],
      api: 'octocat:ghs_1'
    },
    {
      title: 'ghcr.io with the login of an earlier step',
      given: { image: 'ghcr.io/o/g', inputs: token, config: { auths: { 'ghcr.io': { auth } } } },
      logins: [],
      api: 'ada:pw'
    },
    {
      title: 'another registry with the login of an earlier step',
      given: { image: 'r.example/g', config: { auths: { 'r.example': { auth } } } },
      logins: [],
      api: 'ada:pw'
    },
    {
      title: 'a login to another registry than that of the image',
      given: {
        image: 'r.example/g',
        inputs: { registry: 'base.example', username: 'eve', password: 'other' },
        config: { auths: { 'r.example': { auth } } }
      },
      logins: ['eve:other@base.example'],
      api: 'ada:pw'
    },
    {
      title: 'Docker Hub by its other name',
      given: { image: 'o/g', inputs: { registry: 'index.docker.io', username: 'eve', password: 'other' } },
      logins: ['eve:other@https://index.docker.io/v1/'],
      api: 'eve:other'
    },
    {
      title: 'a credential helper, where the API is not needed',
      given: {
        image: 'r.example/g',
        inputs: { 'module-artifact': 'false' },
        config: { credHelpers: { 'r.example': 'x' } }
      },
      logins: []
    },
    {
      title: 'a pull request without secrets, which is only built',
      given: { image: 'r.example/g', push: false, inputs: { username: 'ada', password: '' } },
      logins: []
    }
  ]
)('$title', async ({ given, logins, api }) => {
  expect(await open(given)).toEqual({ logins, api })
})

test.each<{ readonly says: RegExp; readonly given: Given }>([
  { says: /Give `password` too/, given: { image: 'r.example/g', inputs: { username: 'ada', password: '' } } },
  {
    says: /login to r\.example is in a credential helper.*`module-artifact: true`.*`username` and `password`/,
    given: { image: 'r.example/g', config: { credHelpers: { 'r.example': 'x' } } }
  },
  {
    says: /login to r\.example is in a credential helper.*`publish-image`, which.*`username` and `password`\.$/,
    given: { image: 'r.example/g', config: { credHelpers: { 'r.example': 'x' } }, moduleArtifact: 'publish-image' }
  }
])('before anything is built: $says', async ({ given, says }) => {
  await expect(open(given)).rejects.toThrow(says)
})
