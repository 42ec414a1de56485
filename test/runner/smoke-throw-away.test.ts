import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, jest, test } from '@jest/globals'
import { startInternet } from '../stand-ins/internet.ts'
import { rustProject, startBuildStage } from './build-stage.ts'
import { cargoProject, githubToken } from './setup-stage.ts'
import { machineWithPrograms, smokeTest } from './smoke-stage.ts'
import { dist, hashOf, startStage } from './stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(120_000)

const machine = await machineWithPrograms()
afterAll(() => machine.remove())

const answers = (server: string | undefined) =>
  fetch(`${server}/v1/ping`).then(
    ({ status }) => status === 200,
    () => false
  )

const urlIn = (log: string) => /Server: +(http:\/\/127\.0\.0\.1:\d+)/.exec(log)?.[1]

/** What a pull request from a fork has: no secret, and here no network either. */
const fork = {
  env: { PATH: machine.path, GITHUB_API_URL: 'http://127.0.0.1:9' },
  event: { name: 'pull_request', payload: {} }
}

test.concurrent('a module is published to a server of its own, checked and forgotten, without any secret', async () => {
  const { main, post, report } = await smokeTest({
    ...fork,
    module: 'counter',
    files: {
      ...cargoProject('2.8.3'),
      '.spacetimedb/smoke.yml': `checks:
  - served-hash: true
  - reducer: health_check
  - subscription: SELECT * FROM counter
    count: 1
    call: { reducer: increment_counter, args: [3], row: { id: 3, value: 1 } }
  - log: { below: error }
`
    },
    inputs: { server: 'local', module: 'module.wasm', cache: 'false' }
  })
  expect(main).toMatchObject({
    exitCode: 0,
    annotations: [],
    leftProcesses: false,
    outputs: { result: 'passed', passed: '4', failed: '0', 'module-hash': hashOf('counter') }
  })
  expect(main.log).toContain('(source: path)')
  expect(main.log).toContain('The server was stopped.')
  expect(await answers(urlIn(main.log))).toBe(false)
  expect(report).toMatchObject({ database: 'smoke-test', server: urlIn(main.log) })
  expect(post).toMatchObject({ exitCode: 0, annotations: [] })
  expect(post.files.filter((file) => /\/smoke-[0-9a-f]{8}\//.test(file))).toEqual([])
})

test.concurrent('a module that is not healthy, or can not be published, fails with the log of the server', async () => {
  const inputs = { server: 'local', module: 'module.wasm', version: '2.8.3', cache: 'false' }
  const [unhealthy, broken] = await Promise.all([
    smokeTest({ ...fork, module: 'counter-unhealthy', inputs }),
    smokeTest({ ...fork, module: 'counter-init-fails', inputs })
  ])
  expect(unhealthy.main).toMatchObject({ exitCode: 1, outputs: { result: 'failed', failed: '1' } })
  expect(unhealthy.main.annotations).toMatchObject([
    { title: 'Smoke test: Call health_check', file: undefined },
    { title: 'smoke-test: failed', message: expect.stringContaining('unhealthy on purpose') }
  ])
  expect(unhealthy.main.log).toMatch(/▸ The end of the log of the server\n.*Starting SpacetimeDB listening on/s)
  expect(broken.main).toMatchObject({
    exitCode: 1,
    outputs: { result: 'error', 'module-hash': hashOf('counter-init-fails') }
  })
  expect(broken.main.annotations).toMatchObject([{ title: 'smoke-test: failed' }])
  expect(broken.main.annotations[0]?.message).toMatch(/not created/)
  expect(broken.main.summary).toMatch(/^## ❌ Failed/)
  for (const { main } of [unhealthy, broken]) expect(await answers(urlIn(main.log))).toBe(false)
})

test.concurrent('a server is downloaded where there is none, and is ended although the step was killed', async () => {
  const internet = await startInternet({ tokens: [githubToken] })
  try {
    let server: string | undefined
    let ran = false
    const { main, post } = await smokeTest({
      githubToken,
      env: internet.environment,
      module: 'counter',
      inputs: {
        server: 'local',
        module: 'module.wasm',
        version: '2.8.3',
        cache: 'false',
        'inline-checks': '- ping: true\n- { sql: SELECT * FROM counter, count: 9, eventually: 60s, timeout: 60s }\n'
      },
      onLine: ({ text }, step) => {
        server ??= urlIn(text)
        if (text.startsWith('✓ The server answers')) {
          ran = true
          step.kill()
        }
      }
    })
    expect(ran).toBe(true)
    expect(main.log).toContain('(source: github)')
    expect(main.signal).toBe('SIGKILL')
    expect(post).toMatchObject({ exitCode: 0, log: expect.stringContaining('The server was stopped.') })
    expect(await answers(server)).toBe(false)
    expect(post.files.filter((file) => /\/smoke-[0-9a-f]{8}\//.test(file))).toEqual([])
  } finally {
    await internet.close()
  }
})

test.concurrent('a job that is cancelled ends the server itself, and does not pass', async () => {
  const { main, post } = await smokeTest({
    ...fork,
    module: 'counter',
    inputs: {
      server: 'local',
      module: 'module.wasm',
      version: '2.8.3',
      cache: 'false',
      'inline-checks': '- ping: true\n- { sql: SELECT * FROM counter, count: 9, eventually: 60s, timeout: 60s }\n'
    },
    onLine: ({ text }, step) => {
      if (text.startsWith('✓ The server answers')) void step.cancel()
    }
  })
  expect(main).toMatchObject({
    exitCode: 1,
    signal: null,
    leftProcesses: false,
    outputs: { result: 'failed', passed: '1' }
  })
  expect(main.log).toContain('The server was stopped.')
  expect(main.annotations.at(-1)?.title).toMatch(/^smoke-test: (cancelled|failed)$/)
  expect(await answers(urlIn(main.log))).toBe(false)
  expect(post.files.filter((file) => /\/smoke-[0-9a-f]{8}\//.test(file))).toEqual([])
})

test.concurrent('the artifact of build-module tells the version, and is what has to be live', async () => {
  const stage = await startBuildStage()
  try {
    const run = stage.github.startRun({ branch: 'feature', pullRequest: { number: 7, fromFork: true } })
    expect((await stage.build({ run, files: rustProject('counter') })).main.exitCode).toBe(0)
    const { job } = run.startJob({ dist, env: { PATH: machine.path } })
    try {
      writeFileSync(join(job.workspace, 'checks.yml'), 'checks:\n  - served-hash: true\n')
      const inputs = { server: 'local', artifact: 'module', checks: 'checks.yml', cache: 'false' }
      const main = await job.run({ action: 'smoke-test', inputs })
      expect(main).toMatchObject({ exitCode: 0, outputs: { passed: '1', 'module-hash': hashOf('counter') } })
      expect(main.log).toMatch(/SpacetimeDB 2\.8\.3: module\.json beside the module says that its bindings are 2\.8\.3/)
      expect(existsSync(main.outputs.junit ?? '')).toBe(true)
      await job.post()
    } finally {
      job.end()
    }
  } finally {
    await stage.close()
  }
})

/** Reads of a live database, which holds a counter of 5, and migrates it to a module with two more columns. */
test.concurrent('a release is rehearsed with rows of the live database, and its way back is told to be none', async () => {
  const stage = await startStage()
  try {
    const live = await stage.databaseWith('counter')
    for (let count = 0; count < 5; count++) await stage.call(live, 'increment_counter', [4])
    const { main, post, report } = await smokeTest({
      ...fork,
      secrets: () => [...stage.secrets],
      module: 'counter-new-columns',
      files: {
        'seed.yml': 'seed:\n  - copy: counter\n',
        'checks.yml': 'checks:\n  - served-hash: true\n  - sql: SELECT value FROM counter WHERE id = 4\n    value: 5\n'
      },
      inputs: {
        server: 'local',
        module: 'module.wasm',
        version: '2.8.3',
        cache: 'false',
        checks: 'checks.yml',
        rehearse: 'live',
        'live-server': stage.server.url,
        'live-database': live,
        seed: 'seed.yml',
        'allow-breaking-clients': 'true',
        'allow-irreversible': 'true'
      }
    })
    expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'passed', passed: '2', failed: '0' } })
    expect(main.summary).toMatch(/^## ✅ Rehearsed: the migration works/)
    expect(main.summary).toMatch(/\*\*The way back:\*\* there is none/)
    expect(main.summary).toMatch(/^## ✅ `smoke-test`: 2 checks passed/m)
    expect(report).toMatchObject({ passed: true, moduleHash: hashOf('counter-new-columns') })
    expect(main.outputs.rehearsal).toMatch(/rehearsal\.json$/)
    expect(post.exitCode).toBe(0)
    expect(await stage.liveHash(live)).toBe(hashOf('counter'))
  } finally {
    await stage.server.close()
  }
})

test.concurrent('where a branch has no module yet, there is a plain smoke test, and the summary says so', async () => {
  const { main } = await smokeTest({
    ...fork,
    module: 'counter',
    inputs: { server: 'local', module: 'module.wasm', version: '2.8.3', cache: 'false', rehearse: 'base' }
  })
  expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'passed' } })
  expect(main.outputs.rehearsal).toBeUndefined()
  expect(main.summary).toMatch(/^## ℹ️ No rehearsal.*this is no pull request.*^## ✅ `smoke-test`: 4 checks passed/ms)
})
