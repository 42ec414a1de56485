import { execFileSync } from 'node:child_process'
import { delimiter } from 'node:path'
import { describe, expect, jest, test } from '@jest/globals'
import { releaseArchive } from '../stand-ins/archives.ts'
import type { Job, StepResult } from './runner.ts'
import { cargoProject, githubToken, lastingFolder, type SetupOptions, setUp } from './setup-stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(120_000)

const mirror = 'spacetimedb-client-binaries.s3.amazonaws.com'
const digestOf = async (version: string) => {
  const { digest } = await releaseArchive(version, 'x86_64-unknown-linux-gnu')
  return digest.replace('sha256:', '')
}
const digest = await digestOf('2.8.3')

/** What a later step of the job gets from `spacetime`. */
function spacetime(job: Job, { path }: StepResult, ...args: string[]): string {
  const PATH = [...path.toReversed(), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter)
  return execFileSync('spacetime', args, { env: { PATH, HOME: job.folder }, cwd: job.workspace, encoding: 'utf8' })
}

type Case = SetupOptions & {
  readonly title: string
  readonly version: string
  readonly source: string
  /** What the log says of it. */
  readonly says?: RegExp
  /** The hosts that were asked, in this order. */
  readonly hosts: readonly string[]
}

const github = ['api.github.com', 'github.com', 'release-assets.githubusercontent.com']
const several = [
  { version: '3.0.0', draft: true },
  { version: '2.10.0', prerelease: true },
  { version: '2.9.0' },
  { version: '2.8.4' },
  { version: '2.8.3' }
]

const passing: readonly Case[] = [
  {
    title: "the version of the module's lock file",
    files: cargoProject('2.8.3'),
    version: '2.8.3',
    source: 'github',
    says: /SpacetimeDB 2\.8\.3: spacetimedb\/Cargo\.lock has spacetimedb 2\.8\.3\./,
    hosts: github
  },
  {
    title: 'the version of a project in another folder',
    files: { ...cargoProject('1.0.0'), ...cargoProject('2.8.3', 'server') },
    inputs: { path: 'server' },
    version: '2.8.3',
    source: 'github',
    says: /server\/Cargo\.lock has/,
    hosts: github
  },
  {
    title: 'the version of the project that spacetime.json names',
    files: { ...cargoProject('2.8.3', 'game'), 'spacetime.json': '{"database": "my-game", "module-path": "./game"}' },
    version: '2.8.3',
    source: 'github',
    says: /game\/Cargo\.lock has/,
    hosts: github
  },
  {
    title: 'the newest release',
    inputs: { version: 'latest' },
    internet: { releases: several },
    version: '2.9.0',
    source: 'github',
    says: /2\.9\.0: it is the newest release\./,
    hosts: github
  },
  {
    title: 'the newest of a range',
    inputs: { version: '~2.8.0' },
    internet: { releases: several },
    version: '2.8.4',
    source: 'github',
    says: /asks for ~2\.8\.0; it is the newest release of that range/,
    hosts: github
  },
  {
    title: 'from the mirror when GitHub has no file to give',
    inputs: { version: '2.8.3' },
    faults: [{ host: 'github.com', fault: { kind: 'down' } }],
    version: '2.8.3',
    source: 'mirror',
    hosts: ['api.github.com', ...Array(4).fill('github.com'), mirror]
  },
  {
    title: 'from the mirror when GitHub redirects to nowhere',
    inputs: { version: '2.8.3' },
    faults: [{ host: 'github.com', fault: { kind: 'redirect-loop' } }],
    version: '2.8.3',
    source: 'mirror',
    says: /Not from there: github\.com redirects more than 5 times/,
    hosts: ['api.github.com', ...Array(6).fill('github.com'), mirror]
  },
  {
    title: 'from the mirror alone, by a digest that is given',
    inputs: { version: '2.8.3', sha256: digest.toUpperCase() },
    faults: [{ host: /github/, fault: { kind: 'down' } }],
    version: '2.8.3',
    source: 'mirror',
    hosts: [...Array(4).fill('github.com'), mirror]
  },
  {
    title: 'after a transfer that broke off',
    inputs: { version: '2.8.3' },
    faults: [{ host: /assets/, times: 1, fault: { kind: 'cut' } }],
    version: '2.8.3',
    source: 'github',
    says: /truncated: it broke off after \d+ of \d+ bytes; downloading again/,
    hosts: ['api.github.com', ...Array(2).fill(['github.com', 'release-assets.githubusercontent.com']).flat()]
  },
  {
    title: "from a company's mirror, and from nowhere else",
    inputs: { version: '2.8.3', sha256: digest, 'releases-url': 'https://files.example/spacetimedb/' },
    version: '2.8.3',
    source: 'mirror',
    hosts: ['files.example']
  },
  {
    title: 'on a GitHub Enterprise that has a copy of the releases',
    inputs: { version: '2.8.3' },
    env: { GITHUB_API_URL: 'https://ghe.example/api/v3' },
    version: '2.8.3',
    source: 'github',
    hosts: ['ghe.example', 'ghe.example']
  },
  {
    title: 'on a GitHub Enterprise that has none',
    inputs: { version: '2.8.3' },
    env: { GITHUB_API_URL: 'https://ghe.example/api/v3' },
    internet: { hosts: { 'ghe.example': () => undefined } },
    version: '2.8.3',
    source: 'github',
    hosts: ['ghe.example', ...github]
  }
]

test.concurrent.each(passing)('sets up $title', async ({ version, source, says, hosts, ...options }) => {
  const { main, post, internet } = await setUp({
    ...options,
    meanwhile: async (job, step) => {
      expect(step).toMatchObject({ exitCode: 0, annotations: [] })
      expect(spacetime(job, step, '--version')).toContain(`tool version ${version};`)
    }
  })
  expect(main.outputs).toEqual({ version, source, cli: expect.stringMatching(/spacetimedb-cli$/) })
  if (says) expect(main.log).toMatch(says)
  expect(internet.requests.map(({ host }) => host)).toEqual(hosts)
  const own = options.env?.GITHUB_API_URL ? 'ghe.example' : 'api.github.com'
  const withToken = internet.requests.filter(({ authorization }) => authorization !== undefined)
  for (const { host, authorization, path } of withToken) {
    expect([host, authorization]).toEqual([own, `Bearer ${githubToken}`])
    expect(path).toContain('/releases')
  }
  expect(post).toMatchObject({ exitCode: 0, annotations: [], leftProcesses: false })
  expect(post.files.filter((file) => file.startsWith('temp/'))).toEqual([])
})

describe('what is on the machine is used', () => {
  test.concurrent('from the tool cache, without asking anybody', async () => {
    const tools = lastingFolder()
    try {
      const options = { inputs: { version: '2.8.3' }, env: { RUNNER_TOOL_CACHE: tools.path } }
      await setUp(options)
      const { main, internet } = await setUp(options)
      expect(main).toMatchObject({ exitCode: 0, outputs: { version: '2.8.3', source: 'tool-cache' } })
      expect(internet.requests).toEqual([])
    } finally {
      tools.remove()
    }
  })

  test.concurrent('from PATH, also to start a server', async () => {
    const { main } = await setUp({
      inputs: { version: '2.8.3' },
      meanwhile: async (job, _, internet) => {
        const asked = internet.requests.length
        const inputs = { version: '2.8.3', start: 'true' }
        const again = await job.run({ action: 'setup-spacetimedb', inputs })
        expect(again).toMatchObject({ exitCode: 0, outputs: { version: '2.8.3', source: 'path' } })
        expect(again.outputs.server).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
        expect(internet.requests).toHaveLength(asked)
      }
    })
    expect(main.exitCode).toBe(0)
  })

  test.concurrent('but not in another version', async () => {
    await setUp({
      inputs: { version: '2.8.3' },
      internet: { releases: several },
      meanwhile: async (job) => {
        const other = await job.run({ action: 'setup-spacetimedb', inputs: { version: '2.9.0' } })
        expect(other.outputs).toMatchObject({ version: '2.9.0', source: 'github' })
        expect(spacetime(job, other, '--version')).toContain('tool version 2.9.0;')
      }
    })
  })
})
