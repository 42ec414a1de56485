import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { type GitHubApi, startGitHubApi } from '../stand-ins/github/api.ts'

/** GitHub's runners have them; where one is missing here the names of the tests say so. */
const missing = ['bash', 'curl', 'jq'].filter((tool) => spawnSync(tool, ['--version']).status !== 0)
const describeScript = missing.length === 0 ? describe : describe.skip
const needs = missing.length === 0 ? '' : ` (not run: there is no ${missing.join(', no ')} here)`

const folder = mkdtempSync(join(tmpdir(), 'scripts-'))
const summary = join(folder, 'summary.md')
const hooks: { path: string; body: string }[] = []
let hook: Server
let api: GitHubApi

beforeAll(async () => {
  hook = createServer(async (request, response) => {
    hooks.push({ path: request.url ?? '', body: await text(request) })
    response.end()
  })
  await new Promise<void>((listening) => hook.listen(0, '127.0.0.1', listening))
  api = await startGitHubApi()
})

beforeEach(() => {
  hooks.length = 0
  for (const file of [summary, join(folder, 'wrong.md')]) rmSync(file, { force: true })
})

afterAll(async () => {
  await Promise.all([api.close(), new Promise((closed) => hook.close(closed))])
  rmSync(folder, { recursive: true })
})

describeScript(`the report of a release${needs}`, () => {
  const report = scriptOf('release-production', 'report', 'Say how it ended')

  test.each([
    ['success', 'updated', /is live\./],
    ['success', 'created', /is live\./],
    ['success', 'unchanged', /was live already/],
    ['failure', 'rolled-back', /was rolled back: what was live before is live again/],
    ['failure', 'rollback-failed', /COULD NOT BE ROLLED BACK/],
    ['failure', 'unhealthy', /IS LIVE ALTHOUGH/],
    ['failure', 'refused', /was not released\. It changed nothing/],
    ['failure', 'failed', /was not released\. It changed nothing/],
    ['failure', 'unknown', /NOT KNOWN WHAT IS LIVE/],
    ['cancelled', 'rolled-back', /was rolled back/],
    ['cancelled', 'unknown', /NOT KNOWN WHAT IS LIVE/],
    ['skipped', '', /was not released \(build: success, plan: failure\)\. Nothing was changed/],
    ['failure', '', /not approved, or was ended before it began/],
    ['cancelled', '', /not approved, or was ended before it began/],
    ['success', 'something new', /NOT KNOWN WHAT IS LIVE/]
  ])('of a job that ended in %s with the result «%s»', async (RELEASE, RESULT, said) => {
    expect(await run(report, { ...about, RELEASE, RESULT })).toMatchObject({ status: 0, stderr: '' })
    expect(readFileSync(summary, 'utf8')).toMatch(said)
    expect(hooks).toEqual([])
  })

  test('goes to the webhook, whose address is on no command line', async () => {
    const WEBHOOK = `${hookUrl()}/secret`
    const { status } = await run(report, { ...about, RELEASE: 'failure', RESULT: 'rolled-back', WEBHOOK })
    expect(status).toBe(0)
    expect(hooks).toMatchObject([{ path: '/secret' }])
    expect(JSON.parse(hooks[0]?.body ?? '')).toEqual({ text: readFileSync(summary, 'utf8').trim() })
  })

  test('fails when it could not be told', async () => {
    const { status } = await run(report, {
      ...about,
      RELEASE: 'success',
      RESULT: 'updated',
      WEBHOOK: 'http://127.0.0.1:1'
    })
    expect(status).not.toBe(0)
    expect(readFileSync(summary, 'utf8')).toMatch(/is live/)
  })

  const about = {
    NAME: 'octocat/game v1.2.3',
    RUN: 'https://github.com/run/1',
    BUILD: 'success',
    PLAN: 'failure',
    WEBHOOK: ''
  }
})

describeScript(`the issue of scheduled checks${needs}`, () => {
  const write = scriptOf('scheduled-checks', 'check', 'Write down what is wrong')
  const keep = scriptOf('scheduled-checks', 'check', 'Keep one issue')
  const tell = scriptOf('scheduled-checks', 'check', 'Tell others')

  test('is opened once, told again, and closed', async () => {
    writeFileSync(join(folder, 'report.json'), JSON.stringify(failedReport))
    const WHERE = 'my-game on https://stdb.example.org'
    const REPORT = join(folder, 'report.json')
    const token = api.issueToken({ issues: 'write' })
    const about = { GITHUB_TOKEN: token, TITLE: 'Wrong', LABEL: 'scheduled-checks', GITHUB_API_URL: api.url }
    const wrong = { ...about, IS_WRONG: 'true' }
    for (let time = 1; time <= 2; time++) {
      expect((await run(write, { WHERE, RUN: 'https://github.com/run/1', REPORT })).status).toBe(0)
      expect(await run(keep, wrong)).toMatchObject({ status: 0, stderr: '' })
    }
    const [issue] = api.state.issues
    expect(api.state.issues).toHaveLength(1)
    expect(issue).toMatchObject({ title: 'Wrong', state: 'open', labels: ['scheduled-checks'] })
    expect(issue?.body).toContain(`The checks of ${WHERE} failed: https://github.com/run/1`)
    expect(issue?.body).toContain('    served-hash: expected module aa, was module bb')
    expect(issue?.body).toContain('    health_check: no answer in time')
    expect(issue?.body).not.toContain('ping')
    expect(api.state.comments).toMatchObject([{ issue: issue?.number, body: issue?.body }])

    expect(await run(keep, { ...about, IS_WRONG: 'false' })).toMatchObject({ status: 0, stderr: '' })
    expect(issue).toMatchObject({ state: 'closed' })
    expect(await run(keep, { ...about, IS_WRONG: 'false' })).toMatchObject({ status: 0, stdout: '' })
    expect(api.unexpected).toEqual([])
  })

  test('without a report it says that the checks failed', async () => {
    expect((await run(write, { WHERE: 'a on b', RUN: 'https://github.com/run/1', REPORT: '' })).status).toBe(0)
    expect(readFileSync(join(folder, 'wrong.md'), 'utf8')).toBe(
      'The checks of a on b failed: https://github.com/run/1\n'
    )
  })

  test('goes to a chat when something is wrong, and to nobody who is not named', async () => {
    writeFileSync(join(folder, 'wrong.md'), 'all of it\n')
    const quiet = { KEY: 'octocat/game', WEBHOOK: '', PAGERDUTY_KEY: '' }
    expect((await run(tell, { ...quiet, IS_WRONG: 'true' })).status).toBe(0)
    expect((await run(tell, { ...quiet, IS_WRONG: 'false', WEBHOOK: `${hookUrl()}/a` })).status).toBe(0)
    expect(hooks).toEqual([])
    expect((await run(tell, { ...quiet, IS_WRONG: 'true', WEBHOOK: `${hookUrl()}/a` })).status).toBe(0)
    expect(hooks.map(({ body }) => JSON.parse(body))).toEqual([{ text: 'all of it\n' }])
  })

  const failedReport = {
    checks: [
      { name: 'served-hash', outcome: 'failed', expected: 'module aa', actual: 'module bb' },
      { name: 'health_check', outcome: 'not-run', reason: 'no answer in time' },
      { name: 'ping', outcome: 'passed' }
    ]
  }
})

/** What a step of an example runs. */
function scriptOf(workflow: string, job: string, name: string): string {
  const file = resolve(import.meta.dirname, `../../workflows-examples/${workflow}.yml`)
  const { jobs } = parse(readFileSync(file, 'utf8')) as {
    jobs: Record<string, { steps: { name?: string; run?: string }[] }>
  }
  const script = jobs[job]?.steps.find((step) => step.name === name)?.run
  if (script === undefined) throw new Error(`${workflow}.yml has no such step: ${name}`)
  return script
}

/** Runs a script as a runner's `shell: bash` does, with what the step has in its environment. */
async function run(script: string, environment: Readonly<Record<string, string>>) {
  const own = { GITHUB_STEP_SUMMARY: summary, RUNNER_TEMP: folder, GITHUB_REPOSITORY: 'octocat/game' }
  const env = { PATH: process.env.PATH, ...own, ...environment }
  const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], { env, cwd: folder })
  const ended = new Promise<number | null>((end) => child.on('close', end))
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { status, stdout, stderr }
}

async function text(stream: AsyncIterable<unknown>): Promise<string> {
  const parts: string[] = []
  for await (const part of stream) parts.push(String(part))
  return parts.join('')
}

function hookUrl(): string {
  return `http://127.0.0.1:${(hook.address() as AddressInfo).port}`
}
