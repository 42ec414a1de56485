import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { smokeTest } from './smoke-stage.ts'
import { hashOf, startStage } from './stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(90_000)

const stage = await startStage()

afterAll(() => stage.server.close())

const secrets = () => [...stage.secrets]

describe('where a module was deployed', () => {
  test.concurrent('all that is as it should be passes, with a load and a soak', async () => {
    const database = await stage.databaseWith('counter')
    const { main, post, report, junit } = await smokeTest({
      secrets,
      module: 'counter',
      inputs: {
        server: stage.server.url,
        database,
        token: stage.token,
        module: 'module.wasm',
        'allow-writes': 'true',
        soak: '1s',
        'report-folder': 'reports'
      },
      files: {
        '.spacetimedb/smoke.yml': `checks:
  - ping: true
  - served-hash: true
  - name: One more
    reducer: increment_counter
    args: [7]
    writes: true
  - sql: SELECT value FROM counter WHERE id = 7
    value: 1
    needs: One more
  - log: { below: error }
  - load: increment_counter
    args: [8]
    callers: 2
    for: 500ms
`
      }
    })
    expect(main).toMatchObject({
      exitCode: 0,
      annotations: [],
      leftProcesses: false,
      outputs: {
        result: 'passed',
        passed: '6',
        failed: '0',
        skipped: '0',
        'module-hash': hashOf('counter'),
        p95: expect.stringMatching(/^\d+(\.\d+)?$/),
        report: expect.stringMatching(/\/reports\/smoke-test\.json$/)
      }
    })
    expect(report).toMatchObject({ passed: true, moduleHash: hashOf('counter'), soak: { outcome: 'passed' } })
    expect(report?.checks[2]).toMatchObject({ name: 'One more', place: { file: '.spacetimedb/smoke.yml', line: 4 } })
    expect(junit).toMatch(/<testsuites name="smoke-test" tests="7" failures="0" errors="0" skipped="0"/)
    expect(main.summary).toMatch(new RegExp(`^## ✅ \`${database}\`: 6 checks passed`))
    expect(main.summary).toMatch(/\*\*Soak:\*\* watched for/)
    expect(main.summary).toMatch(/a call took +p50 +p95 +p99 +max/)
    expect(main.log).toMatch(/✓ One more \(\d+ ms\)/)
    expect(post).toMatchObject({ exitCode: 0, annotations: [] })
  })

  test.concurrent('what is not fails, on the line of its check', async () => {
    const database = await stage.databaseWith('counter-unhealthy')
    const { main, report, junit } = await smokeTest({
      secrets,
      inputs: {
        server: stage.server.url,
        database,
        token: stage.token,
        'module-hash': hashOf('counter'),
        checks: 'checks.yml',
        'inline-checks': '- name: Inline\n  ping: true\n'
      },
      files: {
        'checks.yml': `checks:
  - name: Right module
    served-hash: true
  - name: Healthy
    reducer: health_check
  - name: Of the unhealthy
    sql: SELECT * FROM counter
    needs: Healthy
  - name: Three counters
    sql: SELECT * FROM counter
    count: 3
`
      }
    })
    expect(main).toMatchObject({ exitCode: 1, outputs: { result: 'failed', passed: '1', failed: '3', skipped: '1' } })
    const placed = main.annotations.filter(({ file }) => file !== undefined)
    expect(placed.map(({ file, line, title }) => [file, line, title])).toEqual([
      ['checks.yml', 2, 'Smoke test: Right module'],
      ['checks.yml', 4, 'Smoke test: Healthy'],
      ['checks.yml', 9, 'Smoke test: Three counters']
    ])
    expect(main.annotations.at(-1)).toMatchObject({
      title: 'smoke-test: failed',
      message: expect.stringMatching(
        /^3 of 4 checks failed:\n- Right module: expected.*unhealthy on purpose \(1 rows\)/s
      )
    })
    expect(report?.checks.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'skipped', 'failed', 'passed'])
    expect(report?.checks[1]?.byHand).toContain('$SPACETIMEDB_TOKEN')
    expect(junit).toContain('file="checks.yml" line="9"')
    expect(main.summary).toMatch(/^## ❌ `.*`: 3 of 4 checks failed, 1 skipped/)
    expect(main.summary).toMatch(/expected: .*\nactual: .*unhealthy on purpose/)
  })

  test.concurrent('a health check that panics, or that takes too long, fails', async () => {
    const calling = async (module: string, checks: string) =>
      smokeTest({
        secrets,
        inputs: {
          server: stage.server.url,
          database: await stage.databaseWith(module),
          token: stage.token,
          'inline-checks': checks
        }
      })
    const [panics, slow] = await Promise.all([
      calling('counter-panics', '- reducer: health_check\n- log: { below: panic }\n'),
      calling('counter-slow', '- { reducer: health_check, timeout: 300ms }\n')
    ])
    expect(panics.main).toMatchObject({ exitCode: 1, outputs: { failed: '2' } })
    expect(panics.report?.checks[0]?.logLines.map(({ message }) => message).join('\n')).toContain('panicked on purpose')
    expect(slow.main).toMatchObject({ exitCode: 1, outputs: { result: 'failed' } })
    expect(slow.report?.checks[0]).toMatchObject({
      name: 'Call health_check',
      expected: expect.stringMatching(/300 ?ms/)
    })
  })

  test.concurrent('without a credential, what anyone may ask is asked', async () => {
    const database = await stage.databaseWith('counter')
    const { main, report } = await smokeTest({
      secrets,
      inputs: { server: stage.server.url, database, 'module-hash': hashOf('counter').toUpperCase() }
    })
    expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'passed', passed: '3', skipped: '1' } })
    expect(report?.checks.map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual([
      'ping passed',
      'served-hash passed',
      'reducer passed',
      'log skipped'
    ])
  })

  test.concurrent('a run in which all was skipped warns that nothing was checked', async () => {
    const database = await stage.databaseWith('counter')
    const inputs = {
      server: stage.server.url,
      database,
      'inline-checks': '- { log: { below: panic }, optional: true }'
    }
    const { main } = await smokeTest({ secrets, inputs })
    expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'passed', passed: '0', skipped: '1' } })
    expect(main.log).toMatch(/##\[warning\]All checks were skipped/)
    expect(main.summary).toMatch(/^## ⚠️ `.*`: nothing was checked, 1 skipped/)
  })

  test.concurrent('nothing is run when a check does not fit the module, or may not be run there', async () => {
    const database = await stage.databaseWith('counter')
    const { main } = await smokeTest({
      secrets,
      inputs: { server: stage.server.url, database, token: stage.token, checks: 'checks.yml' },
      files: {
        'checks.yml':
          'checks:\n  - ping: true\n  - reducer: incremnt_counter\n  - reducer: increment_counter\n    args: [1]\n    writes: true\n'
      }
    })
    expect(main).toMatchObject({ exitCode: 1, outputs: { result: 'error' }, summary: '' })
    expect(main.outputs.report).toBeUndefined()
    const [first, second, error] = main.annotations
    expect(main.annotations).toHaveLength(3)
    expect(first).toMatchObject({
      file: 'checks.yml',
      line: 3,
      message: expect.stringContaining('increment_counter')
    })
    expect(second).toMatchObject({ file: 'checks.yml', line: 4, message: expect.stringContaining('allow-writes') })
    expect(error).toMatchObject({ title: 'smoke-test: wrong configuration' })
    expect(main.log).not.toContain('✓')
  })
})

describe('wrong inputs', () => {
  const server = stage.server.url
  test.concurrent.each<[string, Record<string, string>, readonly RegExp[]]>([
    ['no database', { server }, [/`database` is missing/, /server: local/]],
    [
      'a database that is not there',
      { server, database: 'nowhere' },
      [/no database "nowhere"/, /`server` and `database`/]
    ],
    ['nothing to publish', { server: 'local' }, [/`module`/, /`artifact`/, /127\.0\.0\.1:3000/]],
    ['two modules', { server, database: 'a', module: 'x', artifact: 'y' }, [/`module`.*`artifact`/]],
    ['a token for a throw-away server', { server: 'local', module: 'x', token: stage.token }, [/leave out `token`/]],
    ['two credentials', { server, database: 'a', token: stage.token, auth: 'oidc' }, [/one credential/]],
    [
      'a file of checks that is not there',
      { server, database: 'a', checks: 'no.yml' },
      [/no\.yml/, /no file of checks/]
    ],
    ['checks that are none', { server, database: 'a', 'inline-checks': 'checks: []' }, [/inline-checks`:1:/]],
    [
      'a check of no kind',
      { server, database: 'a', 'inline-checks': '- pong: true' },
      [/`inline-checks`:1:\d+/, /`ping`/]
    ],
    ['a hash that is none', { server, database: 'a', 'module-hash': 'abc' }, [/`module-hash`/, /64 hex/]],
    ['a soak without unit', { server, database: 'a', soak: '5' }, [/`soak`/, /`30s`/]],
    ['an artifact outside of a run', { server: 'local', artifact: 'module' }, [/`module`/, /artifact service/]]
  ])('%s', async (_, inputs, says) => {
    const { main, post } = await smokeTest({ inputs, secrets })
    expect(main).toMatchObject({ exitCode: 1, outputs: { result: 'error' }, summary: '', leftProcesses: false })
    expect(main.annotations).toHaveLength(1)
    for (const part of says) expect(main.annotations[0]?.message).toMatch(part)
    expect(post.exitCode).toBe(0)
  })
})
