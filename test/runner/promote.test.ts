import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { keptModuleName } from '../../actions/keep-module.ts'
import { startProxy } from '../faults/proxy.ts'
import { type LedgerStepOptions, startLedgerStage } from './ledger-stage.ts'
import type { StepResult } from './runner.ts'
import { hashOf } from './stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(120_000)

const there = await startLedgerStage()
const { stage } = there

afterAll(() => there.close())

type Inputs = Readonly<Record<string, string>>

/** `database` is empty where `databases` are given. */
function promote(inputs: Inputs, more: Partial<LedgerStepOptions> = {}) {
  const given = { 'from-server': stage.server.url, 'allow-breaking-clients': 'true', ...inputs }
  return there.run('promote', { database: '', inputs: given, ...more })
}

const errorsOf = ({ annotations }: StepResult) => annotations.filter(({ level }) => level === 'error')

const unchecked = { 'allow-unchecked': 'true', ledger: 'none' }

function resultsIn({ outputs }: StepResult): Readonly<Record<string, string>> {
  const { databases } = JSON.parse(readFileSync(outputs.promotion ?? '', 'utf8'))
  return Object.fromEntries(databases.map(({ database, result }: Inputs) => [database, result]))
}

/** Runs a promotion, and reads its file before the job's folders are gone. */
async function promoted(inputs: Inputs, more: Partial<LedgerStepOptions> = {}) {
  const given = { server: stage.server.url, token: stage.token, 'from-server': stage.server.url, ...inputs }
  const { job, step } = there.start('promote', { database: '', inputs: given, ...more })
  try {
    const main = await step.result
    const results = main.outputs.promotion ? resultsIn(main) : {}
    const [post] = await job.post()
    return { main, post, results }
  } finally {
    job.end()
  }
}

describe('a promotion', () => {
  test.concurrent('brings what passed its checks in one environment to the databases of another', async () => {
    const source = await stage.databaseWith('counter-additive')
    const staging = await stage.databaseWith('counter')
    const environment = `staging-${staging}`
    const first = await promote({ 'from-database': source, database: staging, 'allow-unchecked': 'true', environment })
    expect(first.main).toMatchObject({ exitCode: 0, outputs: { result: 'updated', verdict: 'compatible' } })
    expect(first.main.summary).toContain(`"${source}" on`)

    const names = [await stage.databaseWith('counter'), await stage.databaseWith('counter')]
    const files = { 'spacetime.json': JSON.stringify({ children: names.map((database) => ({ database })) }) }
    const inputs = {
      'from-environment': environment,
      'from-server': '',
      databases: 'game-*',
      environment: 'production'
    }
    const { main, post, results } = await promoted(inputs, { files })
    expect(main).toMatchObject({
      exitCode: 0,
      outputs: { result: 'updated', 'module-hash': hashOf('counter-additive') }
    })
    expect(main.outputs).toMatchObject({ 'databases-done': '2', 'databases-failed': '0', 'databases-not-begun': '0' })
    expect(results).toEqual(Object.fromEntries(names.map((name) => [name, 'updated'])))
    expect(main.summary).toMatch(/## ✅ 2 of 2 databases run the promoted module/)
    for (const name of names) {
      expect(main.summary).toMatch(new RegExp(`\\| \`${name}\` +\\| \`${hashOf('counter').slice(0, 12)}\` \\|`))
      expect(await stage.liveHash(name)).toBe(hashOf('counter-additive'))
    }
    expect(post).toMatchObject({ exitCode: 0, summary: '' })
    const [adopted, shared, ...others] = there.entries('production')
    expect(others).toEqual([])
    expect(adopted?.payload).toMatchObject({ action: 'adopt', databases: names, moduleHash: hashOf('counter') })
    expect(shared).toMatchObject({
      payload: { action: 'promote', databases: names },
      states: ['in_progress', 'success']
    })
    expect(shared?.descriptions.at(-1)).toBe('updated, checked')
    expect(main.outputs['release-id']).toBe(String(shared?.id))
  })

  test.concurrent('promotes nothing of which nobody knows that it passed its checks', async () => {
    const [source, target] = [await stage.databaseWith('counter-additive'), await stage.databaseWith('counter')]
    const { main } = await promote({ 'from-database': source, database: target })
    expect(main).toMatchObject({ exitCode: 1, outputs: { result: 'refused' } })
    expect(main.outputs['module-hash']).toBe(hashOf('counter-additive'))
    expect(errorsOf(main)).toMatchObject([{ title: 'promote: refused' }])
    expect(errorsOf(main)[0]?.message).toMatch(/no release of it in environment.*`allow-unchecked: true`/s)
    expect(await stage.liveHash(target)).toBe(hashOf('counter'))
  })

  test.concurrent('stops at the canary when the module is not healthy there', async () => {
    const source = await stage.databaseWith('counter-unhealthy')
    const names = [await stage.databaseWith('counter'), await stage.databaseWith('counter')]
    const { main, results } = await promoted({ 'from-database': source, databases: names.join(','), ...unchecked })
    expect(main).toMatchObject({ exitCode: 1, outputs: { result: 'rolled-back', 'databases-not-begun': '1' } })
    expect(Object.values(results)).toEqual(['rolled-back', 'not-begun'])
    expect(main.summary).toContain(`The canary, ${names[0]}, failed`)
    expect(errorsOf(main)).toHaveLength(1)
    for (const name of names) expect(await stage.liveHash(name)).toBe(hashOf('counter'))
  })

  test.concurrent('plans for all in a dry run', async () => {
    const source = await stage.databaseWith('counter-additive')
    const names = [await stage.databaseWith('counter'), await stage.databaseWith('counter-additive')]
    const inputs = { 'from-database': source, databases: names.join('\n'), 'dry-run': 'true', ...unchecked }
    const { main, results } = await promoted(inputs)
    expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'planned' } })
    expect(Object.values(results)).toEqual(['planned', 'unchanged'])
    expect(main.summary).toContain('can get the module: a dry run, nothing was changed')
    expect(await stage.liveHash(names[0] ?? '')).toBe(hashOf('counter'))
  })
})

describe('a promotion that is cut off', () => {
  const start = async (names: readonly string[], choice: Inputs = unchecked) => {
    const proxy = await startProxy(stage.server.url)
    const source = await stage.databaseWith('counter-additive')
    const inputs = { server: proxy.url, 'from-database': source, databases: names.join(','), ...choice }
    const secrets = () => [...proxy.issuedTokens]
    const given = { database: '', inputs: { ...inputs, 'from-server': stage.server.url }, secrets }
    return { proxy, ...there.start('promote', given) }
  }

  test.concurrent('is undone where it was under way, when it was killed', async () => {
    const names = await Promise.all(['counter', 'counter', 'counter'].map((module) => stage.databaseWith(module)))
    const environment = `killed-${names[0]}`
    const { proxy, job, step } = await start(names, { 'allow-unchecked': 'true', environment })
    proxy.inject({
      match: { method: 'PUT', path: new RegExp(names[1] ?? ''), nth: 1 },
      fault: { kind: 'hang', forward: true },
      answered: () => step.kill()
    })
    const main = await step.result
    expect(main).toMatchObject({ exitCode: null, outputs: { result: 'unknown' } })
    const [post] = await job.post()
    job.end()
    await proxy.close()
    expect(post).toMatchObject({ exitCode: 1 })
    expect(post?.log).toContain(`is kept as the artifact ${keptModuleName(hashOf('counter'))}`)
    expect(there.entries(environment).at(-1)?.states.at(-1)).toBe('failure')
    expect(post?.summary).toContain(`\`${names[1]}\``)
    expect(post?.summary).toMatch(new RegExp(`${names[1]}.*rolled-back`))
    expect(post?.summary).toMatch(new RegExp(`${names[0]}.*✅ updated`))
    const after = await Promise.all(names.map((name) => stage.liveHash(name)))
    expect(after.slice(0, 2)).toEqual([hashOf('counter-additive'), hashOf('counter')])
    const third = after[2] === hashOf('counter') ? /not begun|failed|rolled-back/ : /updated/
    expect(post?.summary).toMatch(new RegExp(`${names[2]}.*(${third.source})`))
  })

  test.concurrent('says of what it did not begin that it did not, when it was cancelled', async () => {
    const names = await Promise.all(['counter', 'counter', 'counter'].map((module) => stage.databaseWith(module)))
    const { proxy, job, step } = await start(names)
    proxy.inject({ match: { method: 'PUT', path: new RegExp(names[0] ?? '') }, before: () => step.cancel() })
    const main = await step.result
    const results = resultsIn(main)
    const [post] = await job.post()
    job.end()
    await proxy.close()
    expect(main).toMatchObject({ exitCode: 1, outputs: { 'databases-not-begun': '2' } })
    expect(Object.values(results).slice(1)).toEqual(['not-begun', 'not-begun'])
    expect(main.summary).toContain('The job was cancelled. 2 databases were not begun and are as before.')
    expect(post?.exitCode).toBe(0)
    expect(await stage.liveHash(names[1] ?? '')).toBe(hashOf('counter'))
  })
})

describe('wrong inputs of a promotion', () => {
  const from = { 'from-database': 'staging-game' }

  test.concurrent.each<readonly [string, Inputs, RegExp]>([
    ['nothing to promote to', from, /Give either the input `database` or `databases`/],
    ['a name that no database can have', { ...from, databases: 'Game_1', ...unchecked }, /`Game_1`; allowed is/],
    [
      'an environment of which the ledger has nothing',
      { 'from-server': '', 'from-environment': 'nowhere', database: 'a' },
      /no release in environment `nowhere`.*`from-server` and `from-database`/
    ],
    [
      'a pattern without a spacetime.json',
      { ...from, databases: 'game-*', ...unchecked },
      /spacetime\.json, and there is none.*actions\/checkout/
    ]
  ])('%s', async (_, inputs, says) => {
    const { main, post } = await promote(inputs)
    expect(main.exitCode).toBe(1)
    expect(errorsOf(main)).toHaveLength(1)
    expect(errorsOf(main)[0]?.message).toMatch(says)
    expect(post).toMatchObject({ exitCode: 0, summary: '' })
  })

  test.concurrent('a pattern that fits nothing is told what there is', async () => {
    const config = { children: [{ database: 'game-eu' }, { database: 'lobby', server: 'https://elsewhere.example' }] }
    const files = { 'spacetime.json': JSON.stringify(config) }
    const { main } = await promote({ ...from, databases: 'gaem-*', ...unchecked }, { files })
    expect(errorsOf(main)[0]?.message).toMatch(/nothing fits `gaem-\*`.*names `game-eu` on this server/)
  })

  test.concurrent('a database to promote from that is not there is named', async () => {
    const target = await stage.databaseWith('counter')
    const { main } = await promote({ 'from-database': 'no-such-game', database: target, ...unchecked })
    expect(main).toMatchObject({ exitCode: 1, outputs: { result: 'refused' } })
    expect(errorsOf(main)[0]?.message).toContain('There is no database "no-such-game"')
  })
})
