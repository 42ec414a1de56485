import { execFileSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe, expect, jest, test } from '@jest/globals'
import { startServer } from '../embedded/server.ts'
import { fixtureModule } from '../fixtures.ts'
import { type InternetRule, startInternet } from '../stand-ins/internet.ts'
import { startResultsService } from '../stand-ins/results-service.ts'
import { Job, type StepResult } from './runner.ts'
import { githubToken, placesOfToken, setUp } from './setup-stage.ts'
import { dist, hashOf } from './stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(120_000)

/** What a later step of the job gets from `spacetime`. */
function spacetime(job: Job, { path }: StepResult, ...args: string[]): string {
  const PATH = [...path.toReversed(), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter)
  return execFileSync('spacetime', args, { env: { PATH, HOME: job.folder }, cwd: job.workspace, encoding: 'utf8' })
}

const answers = (server: string | undefined) =>
  fetch(`${server}/v1/ping`).then(
    ({ status }) => status === 200,
    () => false
  )

/** What is live in a database, by the server's own answer. */
async function liveHash(server: string | undefined, database: string): Promise<unknown> {
  const answer = await fetch(`${server}/v1/database/${database}/sql`, {
    method: 'POST',
    body: 'SELECT program_hash FROM st_module'
  })
  const [result] = (await answer.json()) as { rows: [[string]] }[]
  return BigInt(result?.rows[0][0] ?? 0)
}

const start = { version: '2.8.3', start: 'true' }
const bigEndian = (hash: string) => BigInt(`0x${Buffer.from(hash, 'hex').reverse().toString('hex')}`)

describe('a throw-away server', () => {
  test.concurrent('takes what the CLI and the deploy action publish, and is gone after the job', async () => {
    const { main, post } = await setUp({
      inputs: start,
      meanwhile: async (job, step) => {
        const { server, token = '', identity } = step.outputs
        expect(spacetime(job, step, 'login', 'show')).toContain(`You are logged in as ${identity}`)
        writeFileSync(join(job.workspace, 'counter.wasm'), fixtureModule('counter.wasm'))
        writeFileSync(join(job.workspace, 'next.wasm'), fixtureModule('counter-additive.wasm'))
        const publish = ['publish', '--bin-path', 'counter.wasm', 'game', '--no-config', '--yes=remote,migrate']
        expect(spacetime(job, step, ...publish)).toContain('Created new database with name: game')
        spacetime(job, step, 'call', '--no-config', 'game', 'increment_counter', '1')
        expect(await liveHash(server, 'game')).toBe(bigEndian(hashOf('counter')))
        const deployed = await job.run({
          action: 'deploy',
          inputs: { server: server ?? '', database: 'game', module: 'next.wasm', token }
        })
        expect(deployed).toMatchObject({ exitCode: 0, outputs: { result: 'updated', identity } })
        expect(await liveHash(server, 'game')).toBe(bigEndian(hashOf('counter-additive')))
      }
    })
    expect(main.outputs).toMatchObject({ source: 'github', identity: expect.stringMatching(/^c200[0-9a-f]{60}$/) })
    expect(main.leftProcesses).toBe(false)
    expect(main.state.setup).not.toContain(main.outputs.token)
    expect(post.log).toContain('The server was stopped.')
    expect(post.log).not.toContain('log of the server')
    expect(await answers(main.outputs.server)).toBe(false)
    expect(post.files.filter((file) => file.includes('/setup-'))).toEqual([])
  })

  test.concurrent('shows its log when the job failed, and attaches it', async () => {
    const service = await startResultsService()
    try {
      const environment = service.environment
      const { main, post } = await setUp({
        inputs: { ...start, cache: 'false' },
        env: environment,
        meanwhile: async (job) => job.becomes('failure')
      })
      expect(main.exitCode).toBe(0)
      expect(post.log).toMatch(/▸ The end of the log of the server\n.*Starting SpacetimeDB listening on/s)
      expect(post.log).toMatch(/All of it is in the artifact spacetimedb-log-deploy-[0-9a-f]{8}\./)
      expect(service.artifacts.map(({ name }) => name)).toEqual([expect.stringMatching(/^spacetimedb-log-deploy-/)])
      expect(post).toMatchObject({ exitCode: 0, annotations: [] })
    } finally {
      await service.close()
    }
  })

  test.concurrent('that can not be attached is still shown', async () => {
    const { post } = await setUp({ inputs: start, meanwhile: async (job) => job.becomes('cancelled') })
    expect(post.log).toMatch(/Starting SpacetimeDB listening on/)
    expect(post.log).toContain('could not be attached to the run')
    expect(post).toMatchObject({ exitCode: 0, annotations: [] })
  })

  test.concurrent('is ended although the step was killed', async () => {
    const internet = await startInternet({ tokens: [githubToken] })
    const job = new Job({ dist, githubToken, filesForSecrets: placesOfToken, env: internet.environment })
    try {
      let server: string | undefined
      const step = job.start({
        action: 'setup-spacetimedb',
        inputs: start,
        onLine: ({ text }) => {
          server ??= /A server runs at (\S+) until/.exec(text)?.[1]
          if (server) step.kill()
        }
      })
      await step.result
      expect(await answers(server)).toBe(true)
      const [post] = await job.post()
      expect(post).toMatchObject({ exitCode: 0, log: expect.stringContaining('The server was stopped.') })
      expect(await answers(server)).toBe(false)
      expect(post?.files.filter((file) => file.startsWith('temp/'))).toEqual([])
    } finally {
      job.end()
      await internet.close()
    }
  })
})

test.concurrent.each<[title: string, rule: InternetRule, says: string]>([
  ['a question', { host: 'api.github.com', fault: { kind: 'hang' } }, 'SpacetimeDB 2.8.3:'],
  ['a download', { host: /assets/, fault: { kind: 'stall' } }, 'Downloading']
])('a job that is cancelled in the middle of %s leaves nothing', async (_, rule, says) => {
  const internet = await startInternet({ tokens: [githubToken] })
  internet.faults.push(rule)
  const job = new Job({ dist, githubToken, env: internet.environment })
  try {
    const step = job.start({
      action: 'setup-spacetimedb',
      inputs: { version: '2.8.3' },
      onLine: ({ text }) => {
        if (text.startsWith(says)) setTimeout(() => step.cancel(), 1000)
      }
    })
    const result = await step.result
    expect(result).toMatchObject({ exitCode: 1, signal: null, files: [], leftProcesses: false })
    expect(result.annotations).toMatchObject([{ level: 'error', title: 'setup-spacetimedb: cancelled' }])
    expect(internet.requests.at(-1)?.fault).toBe(rule.fault.kind)
    expect(await job.post()).toMatchObject([{ exitCode: 0, files: [], annotations: [] }])
  } finally {
    job.end()
    await internet.close()
  }
})

test.concurrent('a token of a server of one’s own is in one file, for one user, and gone after the job', async () => {
  const server = await startServer()
  const token = await server.issueToken('me')
  try {
    const { main, post } = await setUp({
      inputs: { version: '2.8.3', server: server.url, token },
      secrets: () => [token],
      meanwhile: async (job, step) => {
        const config = step.outputs['cli-config'] ?? ''
        expect(statSync(config).mode & 0o777).toBe(0o600)
        expect(readFileSync(config, 'utf8')).toContain(token)
        expect(spacetime(job, step, 'login', 'show')).toContain(`You are logged in as ${step.outputs.identity}`)
      }
    })
    expect(main.outputs).not.toHaveProperty('token')
    expect(main.outputs).not.toHaveProperty('server')
    expect(post.files.filter((file) => file.startsWith('temp/'))).toEqual([])
  } finally {
    await server.close()
  }
})
