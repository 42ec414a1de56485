import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { parse } from 'yaml'
import { fixtureModule } from '../fixtures.ts'
import { dist, hashOf, startStage } from './stage.ts'

/** What docs/other-ci.md shows is run as it is shown, with nothing of GitHub in the environment. */
const page = readFileSync(resolve(import.meta.dirname, '../../docs/other-ci.md'), 'utf8')
const blocksOf = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, text = '']) => text)
const [releaseScript = '', clone = '', goBack = ''] = blocksOf('bash')
const [gitLab, circle] = blocksOf('yaml').map((text) => parse(text))
const [jenkins = ''] = blocksOf('groovy')

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(90_000)

const root = mkdtempSync(join(tmpdir(), 'other-ci-'))
const published = join(root, 'published')
const stage = await startStage()

beforeAll(() => {
  cpSync(realpathSync(dist), join(published, 'dist'), { recursive: true })
  for (const args of [
    ['init', '--quiet'],
    ['add', '.'],
    ['-c', 'user.name=t', '-c', 'user.email=t@t', 'commit', '--quiet', '--message', 'Release'],
    ['tag', 'v1']
  ]) {
    expect(spawnSync('git', args, { cwd: published }).status).toBe(0)
  }
})

afterAll(async () => {
  await stage.server.close()
  rmSync(root, { recursive: true })
})

/** A folder of a job, with what a repository and earlier jobs bring. */
function workspace(module?: string): string {
  const folder = mkdtempSync(join(root, 'job-'))
  writeFileSync(join(folder, 'release.sh'), releaseScript, { mode: 0o755 })
  if (module !== undefined) writeFileSync(join(folder, 'module.wasm'), fixtureModule(`${module}.wasm`))
  return folder
}

function keep(from: string, to: string, files: readonly string[]): void {
  for (const file of files) cpSync(join(from, file), join(to, file), { recursive: true })
}

/** Runs a job's commands as a CI does, until one fails. */
async function run(scripts: readonly string[], folder: string, database: string) {
  const env = {
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    HOME: folder,
    SPACETIMEDB_SERVER: stage.server.url,
    SPACETIMEDB_DATABASE: database,
    SPACETIMEDB_TOKEN: stage.token,
    SOAK: '1s',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `url.${pathToFileURL(published).href}.insteadOf`,
    GIT_CONFIG_VALUE_0: 'https://github.com/org/stdb-actions'
  }
  const child = spawn('bash', ['-eo', 'pipefail', '-c', scripts.join('\n')], { cwd: folder, env })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text
    })
  }
  const status = await new Promise<number | null>((end) => child.on('close', end))
  expect(log).not.toContain(stage.token)
  expect(log).not.toMatch(/^::(add-mask|error|set-output|save-state)/m)
  return { status, log }
}

test.concurrent('as shell: planned, applied, gone back; and an unhealthy one goes back by itself', async () => {
  const database = await stage.databaseWith('counter')
  const folder = workspace('counter-additive')
  expect(await run([clone, './release.sh plan'], folder, database)).toMatchObject({ status: 0 })
  expect(readFileSync(join(folder, 'plan.md'), 'utf8')).toContain('compatible')
  expect(await stage.liveHash(database)).toBe(hashOf('counter'))

  const applied = await run(['./release.sh apply'], folder, database)
  expect(applied).toMatchObject({ status: 0, log: expect.stringContaining('The release ended as: updated') })
  expect(await stage.liveHash(database)).toBe(hashOf('counter-additive'))

  expect(await run([goBack], folder, database)).toMatchObject({ status: 0 })
  expect(await stage.liveHash(database)).toBe(hashOf('counter'))

  writeFileSync(join(folder, 'module.wasm'), fixtureModule('counter-unhealthy.wasm'))
  const unhealthy = await run(['./release.sh plan', './release.sh apply'], folder, database)
  expect(unhealthy).toMatchObject({ status: 1, log: expect.stringContaining('The release ended as: rolled-back') })
  expect(unhealthy.log).toMatch(/^error: /m)
  expect(await stage.liveHash(database)).toBe(hashOf('counter'))
})

test.concurrent('a plan that somebody has changed is not applied', async () => {
  const database = await stage.databaseWith('counter')
  const folder = workspace('counter-additive')
  await run([clone, './release.sh plan'], folder, database)
  writeFileSync(join(folder, 'plan-digest'), 'a'.repeat(64))
  expect(await run(['./release.sh apply'], folder, database)).toMatchObject({ status: 1 })
  expect(await stage.liveHash(database)).toBe(hashOf('counter'))
})

test.concurrent('the jobs of GitLab CI', async () => {
  const database = await stage.databaseWith('counter')
  const [plan, release] = [workspace('counter-additive'), workspace()]
  const before = gitLab.default.before_script
  expect(await run([...before, ...gitLab.plan.script], plan, database)).toMatchObject({ status: 0 })
  keep(plan, release, gitLab.plan.artifacts.paths)
  expect(await run([...before, ...gitLab.release.script], release, database)).toMatchObject({ status: 0 })
  for (const path of gitLab.release.artifacts.paths) expect(existsSync(join(release, path))).toBe(true)
  expect(await stage.liveHash(database)).toBe(hashOf('counter-additive'))
})

test.concurrent('the jobs of CircleCI', async () => {
  const database = await stage.databaseWith('counter')
  const [plan, release] = [workspace('counter-additive'), workspace()]
  const scripts = (job: 'plan' | 'release') =>
    circle.jobs[job].steps.flatMap((step: { run?: string }) => step.run ?? [])
  expect(await run(scripts('plan'), plan, database)).toMatchObject({ status: 0 })
  const kept = circle.jobs.plan.steps.find((step: { persist_to_workspace?: object }) => step.persist_to_workspace)
  keep(plan, release, kept.persist_to_workspace.paths)
  expect(await run(scripts('release'), release, database)).toMatchObject({ status: 0 })
  expect(await stage.liveHash(database)).toBe(hashOf('counter-additive'))
})

test.concurrent('the stages of Jenkins', async () => {
  const database = await stage.databaseWith('counter')
  const folder = workspace('counter-additive')
  const scripts = [...jenkins.matchAll(/\bsh '([^']+)'/g)].map(([, script = '']) => script)
  expect(scripts).toHaveLength(3)
  expect(await run(scripts, folder, database)).toMatchObject({ status: 0 })
  expect(await stage.liveHash(database)).toBe(hashOf('counter-additive'))
})
