import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, jest, test } from '@jest/globals'
import { fixtureModule } from '../fixtures.ts'
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
  expect(unhealthy.main.summary.match(/the throw-away server, which is gone/g)).toHaveLength(1)
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
  expect(main.annotations.at(-1)?.title).toBe('smoke-test: cancelled')
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
      const inputs = {
        server: 'local',
        artifact: 'module',
        checks: 'checks.yml',
        cache: 'false',
        'report-folder': 'reports'
      }
      const main = await job.run({ action: 'smoke-test', inputs })
      expect(main).toMatchObject({ exitCode: 0, outputs: { passed: '1', 'module-hash': hashOf('counter') } })
      expect(main.log).toMatch(/SpacetimeDB 2\.8\.3: module\.json beside the module says that its bindings are 2\.8\.3/)
      expect(readdirSync(join(job.workspace, 'reports')).sort()).toEqual(['smoke-test.json', 'smoke-test.xml'])
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
    expect(main.log).toMatch(
      /The live database ".*", which is only read from:\nServer: .*\nIdentity: .*, a new one: there is no credential/
    )
    expect(main.log).toMatch(/The throw-away server:\nServer: /)

    const ofLive = { rehearse: 'live', 'live-server': stage.server.url, version: '2.8.3', cache: 'false' }
    const inputs = { ...ofLive, server: 'local', module: 'module.wasm' }
    const failing = '- { name: Wrong, sql: SELECT * FROM counter, count: 8 }'
    const waiting = '- { name: Late, sql: SELECT * FROM counter, count: 9, eventually: 60s, timeout: 60s }'
    const [misspelt, cancelled] = await Promise.all([
      smokeTest({ ...fork, module: 'counter', inputs: { ...inputs, 'live-database': 'not-there' } }),
      smokeTest({
        ...fork,
        module: 'counter',
        inputs: { ...inputs, 'live-database': live, 'inline-checks': `${failing}\n${waiting}\n` },
        onLine: ({ text }, step) => {
          if (text.startsWith('✗ Wrong')) void step.cancel()
        }
      })
    ])
    expect(cancelled.main).toMatchObject({ exitCode: 1, outputs: { result: 'failed', failed: '1' } })
    expect(cancelled.main.annotations.at(-1)).toMatchObject({
      title: 'smoke-test: failed',
      message: expect.stringMatching(/Wrong: expected/)
    })
    expect(misspelt.main).toMatchObject({
      exitCode: 1,
      outputs: { result: 'error' },
      annotations: [
        {
          title: 'smoke-test: wrong configuration',
          message: expect.stringMatching(/^At setting up the old module: .*`live-server` and `live-database`/)
        }
      ]
    })
  } finally {
    await stage.server.close()
  }
})

test.concurrent('where there is no old module to be had, there is a plain smoke test, and the summary says so', async () => {
  const inputs = { server: 'local', module: 'module.wasm', version: '2.8.3', cache: 'false' }
  const env = { ...fork.env, GITHUB_BASE_REF: 'main' }
  const [asked, usual] = await Promise.all([
    smokeTest({ ...fork, module: 'counter', inputs: { ...inputs, rehearse: 'base' } }),
    smokeTest({ ...fork, env, module: 'counter', inputs })
  ])
  const plain = '.*^## ✅ `smoke-test`: 4 checks passed'
  expect(asked.main.outputs.rehearsal).toBeUndefined()
  expect(asked.main.summary).toMatch(new RegExp(`^## ℹ️ No rehearsal.*this is no pull request${plain}`, 'ms'))
  expect(usual.main).toMatchObject({ exitCode: 0, annotations: [] })
  expect(usual.main.summary).toMatch(new RegExp(`^## ℹ️ No rehearsal.*main${plain}`, 'ms'))
})

test.concurrent('a pull request is rehearsed from its base branch without being asked to, from a fork too', async () => {
  const stage = await startBuildStage()
  try {
    for (const [branch, module] of [['main', 'counter'] as const, ['broken', 'counter-unhealthy'] as const]) {
      const built = await stage.build({ run: stage.github.startRun({ branch }), files: rustProject(module) })
      expect(built.main.exitCode).toBe(0)
    }
    const testOf = async (base: string, module: string) => {
      const run = stage.github.startRun({ branch: 'feature', pullRequest: { number: 7, base, fromFork: true } })
      const { job } = run.startJob({ dist, env: { PATH: machine.path } })
      writeFileSync(join(job.workspace, 'module.wasm'), fixtureModule(`${module}.wasm`))
      try {
        const inputs = { server: 'local', module: 'module.wasm', version: '2.8.3', cache: 'false' }
        const main = await job.run({ action: 'smoke-test', inputs })
        await job.post()
        return main
      } finally {
        job.end()
      }
    }
    const additive = await testOf('main', 'counter-additive')
    expect(additive).toMatchObject({ exitCode: 0, outputs: { result: 'passed', passed: '4' } })
    expect(additive.annotations).toMatchObject([
      { message: expect.stringMatching(/rolled back only while table audit/) }
    ])
    expect(additive.summary).toMatch(
      /^## ✅ Rehearsed: the migration works.*branch main, commit .*✅ `smoke-test`: 4 checks/s
    )
    expect(additive.outputs.rehearsal).toMatch(/rehearsal\.json$/)

    const mended = await testOf('broken', 'counter')
    expect(mended).toMatchObject({ exitCode: 0, outputs: { result: 'passed', failed: '0' } })
    expect(mended.annotations).toMatchObject([
      { title: 'smoke-test', message: expect.stringMatching(/unhealthy on purpose/) }
    ])

    const refused = await testOf('main', 'counter-reducer-param')
    expect(refused).toMatchObject({ exitCode: 0, outputs: { result: 'passed', passed: '4' } })
    expect(refused.outputs.rehearsal).toBeUndefined()
    expect(refused.annotations).toMatchObject([
      {
        title: 'smoke-test: could not be rehearsed',
        message: expect.stringMatching(/allow-breaking-clients.*`rehearse: none`/s)
      }
    ])
    expect(refused.summary).toMatch(/^## ℹ️ It could not be rehearsed.*✅ `smoke-test-plain`: 4 checks/s)
  } finally {
    await stage.close()
  }
})
