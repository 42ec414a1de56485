import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { hashOf, type Stage, startStage } from './stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(120_000)

let stage: Stage

beforeAll(async () => {
  stage = await startStage()
})

afterAll(() => stage.server.close())

const checks = `checks:
  - served-hash: true
  - name: no counter is lost
    sql: SELECT * FROM counter
    count: 2
  - name: only for pull requests
    reducer: increment_counter
    args: [9]
    writes: true
    optional: true
`

/** What is always said of this release, and of watching it. */
const warnings = ['can be rolled back only while', 'While the release is watched'].map((start) => ({
  level: 'warning',
  message: expect.stringContaining(start)
}))

test('a release that fails a check goes back, and the check is shown where it is written', async () => {
  const database = await stage.databaseWith('counter')
  const { main } = await stage.deploy({
    database,
    module: 'counter-additive',
    files: { 'live.yml': checks },
    inputs: { checks: 'live.yml', soak: '1m', 'report-folder': 'reports' }
  })
  expect(main).toMatchObject({
    exitCode: 1,
    outputs: { result: 'rolled-back', passed: '1', failed: '1', skipped: '1' },
    annotations: [
      ...warnings,
      { title: 'Smoke test: no counter is lost', file: 'live.yml', line: 3 },
      { title: 'deploy: rolled-back', message: expect.stringContaining('1 of 2 checks failed') }
    ]
  })
  expect(await stage.liveHash(database)).toBe(hashOf('counter'))
  expect(main.summary).toMatch(/^## ↩️ Rolled back.*^## ❌ .*1 of 2 checks failed, 1 skipped/ms)
  expect(main.log).toContain('✓ The module is served')
  expect(main.outputs.report).toMatch(/reports.smoke-test\.json$/)
})

test('a release that passes its checks and its soak is kept', async () => {
  const database = await stage.databaseWith('counter')
  await stage.call(database, 'increment_counter', [1])
  const { main } = await stage.deploy({
    database,
    module: 'counter-additive',
    files: { 'live.yml': checks },
    inputs: { checks: 'live.yml', 'inline-checks': '- reducer: health_check', soak: '1s' }
  })
  expect(main).toMatchObject({
    exitCode: 0,
    annotations: warnings,
    outputs: { result: 'updated', passed: '3', skipped: '1' }
  })
})

test('a check that can not be run on the new module keeps it from being published', async () => {
  const database = await stage.databaseWith('counter')
  const { main } = await stage.deploy({
    database,
    module: 'counter-additive',
    files: { 'live.yml': 'checks:\n  - reducer: increment_counter\n    args: [1]\n    writes: true\n' },
    inputs: { checks: 'live.yml' }
  })
  expect(main).toMatchObject({ exitCode: 1, outputs: { result: 'failed' } })
  expect(main.outputs.report).toBeUndefined()
  expect(main.annotations).toMatchObject([
    { file: 'live.yml', line: 2, message: expect.stringContaining('`allow-writes: true`') },
    { title: 'deploy: wrong configuration', message: expect.stringContaining('live.yml:2:5') }
  ])
  expect(await stage.liveHash(database)).toBe(hashOf('counter'))
})
