import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { gitHubLedger } from '../../actions/github-ledger.ts'
import { keptModuleName } from '../../actions/keep-module.ts'
import { pushModule } from '../../src/image/oci/module-artifact.ts'
import { openRegistry } from '../../src/image/oci/registry.ts'
import { hashModule } from '../../src/module/hash.ts'
import { moduleFromBytes } from '../../src/module/load.ts'
import type { ReleaseRecord } from '../../src/release/ledger/record.ts'
import { type Match, startProxy } from '../faults/proxy.ts'
import { fixtureModule } from '../fixtures.ts'
import { hastyNetwork } from '../setup/http-server.ts'
import { startRegistry } from '../stand-ins/registry.ts'
import { type LedgerStepOptions, startLedgerStage } from './ledger-stage.ts'
import type { StepResult } from './runner.ts'
import { hashOf, otherModule } from './stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(90_000)

const ledgerStage = await startLedgerStage()
const { stage, github } = ledgerStage

afterAll(() => ledgerStage.close())

/** Writes a release down as an earlier run would have, and answers its id. */
async function released(database: string, module: string, more: Partial<ReleaseRecord> = {}): Promise<string> {
  const { owner, name } = github.api.state.repository
  const token = github.api.issueToken({ contents: 'read', deployments: 'write' })
  const commit = 'c'.repeat(40)
  github.api.state.commits.add(commit)
  const ledger = gitHubLedger({
    url: github.api.url,
    token,
    repository: `${owner}/${name}`,
    environment: database,
    commit
  })
  const record = {
    version: 1,
    action: 'deploy',
    server: stage.server.url,
    database,
    moduleHash: hashOf(module)
  } as const
  const begun = await ledger.begin({ ...record, commit, ...more })
  if (begun.kind === 'failed') throw new Error(begun.reason)
  const ended = await ledger.end(begun.value.id, { result: 'updated', isChecked: true })
  if (ended.kind === 'failed') throw new Error(ended.reason)
  return String(begun.value.id)
}

/** A database that runs the last of some modules, each of which was released, and the ids of the releases. */
async function databaseOf(...modules: readonly string[]): Promise<{ database: string; ids: readonly string[] }> {
  const database = await stage.databaseWith(modules.at(-1) ?? '')
  const ids: string[] = []
  for (const module of modules) ids.push(await released(database, module))
  return { database, ids }
}

const rollback = (options: LedgerStepOptions) => ledgerStage.runMain('rollback', options)
const wholeRollback = (options: LedgerStepOptions) => ledgerStage.run('rollback', options)
const errorsOf = ({ annotations }: StepResult) => annotations.filter(({ level }) => level === 'error')
const breaking = { 'allow-breaking-clients': 'true' }
const file = { module: 'module.wasm' }

describe('a night', () => {
  test.concurrent('a file, then the release before by its artifact, by dry run, refusal and consent', async () => {
    const { database, ids } = await databaseOf('counter')
    // What was live is kept as an artifact of the run that published over it.
    const forward = await rollback({ database, module: 'counter-additive', inputs: file })
    expect(forward.main).toMatchObject({ exitCode: 0, outputs: { result: 'rolled-back' } })
    expect(forward.main.log).toContain(keptModuleName(hashOf('counter')))

    const refused = await rollback({ database, inputs: { 'dry-run': 'true' } })
    expect(refused.main).toMatchObject({ exitCode: 1, outputs: { result: 'refused', 'restored-release': ids[0] } })
    expect(errorsOf(refused.main)[0]?.message).toMatch(
      /was not rolled back, nothing was changed.*\n.*Clients that run now would break/
    )
    expect(refused.main.summary).toMatch(/\*\*Goes away:\*\* table `audit`/)

    const planned = await rollback({ database, inputs: { 'dry-run': 'true', ...breaking } })
    expect(planned.main).toMatchObject({ exitCode: 0, outputs: { result: 'planned', verdict: 'breaks-clients' } })
    expect(planned.main.summary).toContain(`\`to: ${ids[0]}\``)
    expect(await stage.liveHash(database)).toBe(hashOf('counter-additive'))

    const done = await wholeRollback({ database, inputs: { ...breaking, reason: 'Counters stand still.' } })
    expect(done.main).toMatchObject({
      exitCode: 0,
      outputs: {
        result: 'rolled-back',
        'module-hash': hashOf('counter'),
        'previous-module-hash': hashOf('counter-additive'),
        'restored-release': ids[0]
      }
    })
    expect(done.main.summary).toMatch(/↩️ Rolled back: .* runs release \d+ .* again/)
    expect(done.main.summary).toContain('Counters stand still.')
    expect(done.post).toMatchObject({ exitCode: 0, summary: '' })
    expect(await stage.liveHash(database)).toBe(hashOf('counter'))
    const last = ledgerStage.entries(database).at(-1)
    expect(last).toMatchObject({ id: Number(done.main.outputs['release-id']), states: ['in_progress', 'success'] })
    expect(last?.payload).toMatchObject({
      action: 'rollback',
      restores: Number(ids[0]),
      reason: 'Counters stand still.'
    })

    const again = await rollback({ database, inputs: { to: ids[0] ?? '' } })
    expect(again.main).toMatchObject({ exitCode: 0, outputs: { result: 'unchanged' } })
  })
})

describe('the bytes', () => {
  test.concurrent('that an artifact has no more come from the GitHub release; others are not taken', async () => {
    const database = await stage.databaseWith('counter-panics')
    await released(database, 'counter-panics', { ref: 'refs/tags/v1.0.0' })
    const forward = await rollback({ database, module: 'counter-additive', inputs: { ...file, ...breaking } })
    expect(forward.main.outputs.result).toBe('rolled-back')
    const kept = keptModuleName(hashOf('counter-panics'))
    for (const artifact of github.results.artifacts) {
      if (artifact.name === kept) artifact.expiresAt = new Date(0)
    }
    const lost = await rollback({ database, inputs: { to: 'v1.0.0', ...breaking } })
    expect(lost.main).toMatchObject({ exitCode: 1, outputs: { result: 'failed' } })
    expect(errorsOf(lost.main)[0]?.message).toMatch(
      /were not found.*\n.*has expired\.\n.*v1\.0\.0.*\n.*give it as `module`/
    )

    github.api.state.addRelease('v1.0.0', {
      'notes.txt': Buffer.from('notes'),
      'other.wasm': Buffer.from(fixtureModule('counter-slow.wasm')),
      'game.wasm': Buffer.from(fixtureModule('counter-panics.wasm'))
    })
    const inputs = { to: 'v1.0.0', 'health-check': 'none', ...breaking }
    const done = await rollback({ database, inputs })
    expect(done.main).toMatchObject({ exitCode: 0, outputs: { result: 'rolled-back' } })
    expect(done.main.summary).toContain('the files of the GitHub release v1.0.0')
    expect(await stage.liveHash(database)).toBe(hashOf('counter-panics'))
  })
})

describe('the bytes of a module that several runs have kept', () => {
  test.concurrent('come from an older artifact when the newest is broken', async () => {
    const module = otherModule('counter', 'kept twice')
    const leave = async () => {
      const database = stage.newDatabase()
      await stage.publish(database, module)
      const left = await rollback({ database, module: 'counter-additive', inputs: file })
      expect(left.main.outputs.result).toBe('rolled-back')
      return database
    }
    const database = await leave()
    await leave()
    const name = keptModuleName(hashModule(module))
    const newest = github.results.artifacts.findLast((artifact) => artifact.name === name)
    Object.assign(newest ?? {}, { digest: `sha256:${'0'.repeat(64)}` })
    const back = await rollback({ database, inputs: { to: hashModule(module), ...breaking } })
    expect(back.main).toMatchObject({ exitCode: 0, outputs: { result: 'rolled-back' } })
  })
})

describe('the bytes of a release', () => {
  test.concurrent('come from a registry, or from the artifact that they were built as', async () => {
    const registry = await startRegistry()
    const network = { ...hastyNetwork(), patience: { attempts: 1, firstDelay: 1, longestDelay: 1, total: 1 } }
    const opened = openRegistry({ host: registry.host, credential: undefined, network, onSecret: () => {} })
    const module = moduleFromBytes(fixtureModule('counter-unhealthy.wasm'))
    const pushed = await pushModule(opened, { repository: 'octocat/game', tag: () => 'module', module, origin: {} })
    const database = await stage.databaseWith('counter-reducer-param')
    const old = await released(database, 'counter-unhealthy', { moduleArtifact: pushed.reference })
    const inputs = { ...breaking, 'health-check': 'none' }

    const run = github.startRun({ sha: 'd'.repeat(40) })
    const back = await rollback({ database, run, inputs: { to: old, ...inputs } })
    expect(back.main).toMatchObject({ exitCode: 0, outputs: { result: 'rolled-back' } })
    expect(back.main.summary).toContain('in its registry')
    await registry.close()

    const kept = github.results.artifacts.find(({ name }) => name === keptModuleName(hashOf('counter-reducer-param')))
    Object.assign(kept ?? {}, { name: 'module' })
    const more = { commit: 'd'.repeat(40), artifact: { name: 'module' } }
    const built = await released(database, 'counter-reducer-param', more)
    const forth = await rollback({ database, inputs: { to: built, ...inputs } })
    expect(forth.main).toMatchObject({ exitCode: 0, outputs: { result: 'rolled-back' } })
    expect(forth.main.summary).toMatch(/Its bytes are from \| the artifact .*module.* that it was built as/)
  })
})

describe('it says why it can not, and what works instead', () => {
  test.concurrent('when the server can not take the database back', async () => {
    const { database } = await databaseOf('counter', 'counter-new-columns')
    const refused = await rollback({ database, module: 'counter', inputs: { ...file, ...breaking } })
    expect(refused.main).toMatchObject({ exitCode: 1, outputs: { result: 'refused', verdict: 'manual' } })
    const { summary } = refused.main
    expect(summary).toMatch(/Roll forward: take commit `cccccccccccc`/)
    expect(summary).toMatch(/table `counter`: keep the column/)
    expect(await stage.liveHash(database)).toBe(hashOf('counter-new-columns'))
  })

  test.concurrent('when a table has rows that would be lost, all at once in a dry run', async () => {
    const { database } = await databaseOf('counter', 'counter-additive')
    await stage.call(database, 'increment_counter', [1])
    const refused = await rollback({ database, module: 'counter', inputs: { ...file, 'dry-run': 'true' } })
    expect(refused.main).toMatchObject({ exitCode: 1, outputs: { result: 'refused' } })
    expect(errorsOf(refused.main)[0]?.message).toMatch(/would break.*\n.*table audit is empty, but 1 row is there/)
    expect(refused.main.summary).toMatch(/\*\*Needed:\*\* table audit is empty – \*\*it is not so now/)
    expect(refused.main.summary).toContain("'DELETE FROM audit'")
    expect(await stage.liveHash(database)).toBe(hashOf('counter-additive'))
  })

  test.concurrent('when the token may not read the ledger', async () => {
    const { database } = await databaseOf('counter', 'counter-unhealthy')
    const options = { database, permissions: { contents: 'read', actions: 'read' } } as const
    const failed = await rollback(options)
    expect(failed.main).toMatchObject({ exitCode: 1, outputs: { result: 'failed' } })
    expect(errorsOf(failed.main)[0]?.message).toMatch(/permissions: deployments: (read|write).*`module` with the file/s)
    const done = await rollback({ ...options, module: 'counter', inputs: file })
    expect(done.main).toMatchObject({ exitCode: 0, outputs: { result: 'rolled-back' } })
    expect(done.main.annotations.filter(({ level }) => level === 'warning')).toHaveLength(1)
    // Nobody has written down what was live, and by its hash it can be gone back to all the same.
    const kept = github.results.artifacts.map(({ name }) => name)
    expect(kept).toContain(keptModuleName(hashOf('counter-unhealthy')))
  })

  test.concurrent('outside of a run of GitHub Actions', async () => {
    const database = await stage.databaseWith('counter')
    const failed = await rollback({ database, inputs: { ledger: 'none' } })
    expect(errorsOf(failed.main)[0]?.message).toMatch(/`to: previous` needs the ledger/)
  })
})

describe('a job that is killed', () => {
  const killed = async (match: Match, forward: boolean) => {
    const { database } = await databaseOf('counter', 'counter-unhealthy')
    const proxy = await startProxy(stage.server.url)
    // The ledger knows the server by its own address.
    const inputs = { ...file, server: proxy.url }
    const { job, step } = ledgerStage.start('rollback', {
      database,
      module: 'counter',
      inputs,
      secrets: () => [...proxy.issuedTokens]
    })
    proxy.inject({ match, fault: { kind: 'hang', forward }, answered: () => step.kill() })
    const main = await step.result
    const [post] = await job.post()
    job.end()
    await proxy.close()
    if (post === undefined) throw new Error('rollback has no post step')
    return { database, main, post }
  }

  test.concurrent('after it published: what it restored stays, and the post step says that nobody checked it', async () => {
    const { database, main, post } = await killed({ method: 'PUT' }, true)
    expect(main.outputs.result).toBe('unknown')
    expect(post.exitCode).toBe(1)
    expect(post.summary).toMatch(/After the rollback: Not checked/)
    expect(post.summary).toContain('it runs the release that was restored')
    expect(post.summary).not.toMatch(/new module|previous module/)
    expect(await stage.liveHash(database)).toBe(hashOf('counter'))
    expect(ledgerStage.entries(database).at(-1)?.states).toContain('failure')
  })
})

describe('a wrong input', () => {
  test.concurrent.each<[string, Readonly<Record<string, string>>, RegExp]>([
    [
      '`to` and `module`',
      { to: 'previous', module: 'module.wasm' },
      /`to` \(a release\) or `module` \(a file\), not both/
    ],
    ['a `to` that is no release', { to: 'v9.9.9' }, /no release `v9\.9\.9`.*`module` with the file/s],
    [
      'a database that is not there',
      { database: 'nowhere' },
      /There is no database "nowhere".*nothing to go back from/s
    ]
  ])('%s is one error, and nothing is changed', async (_, inputs, says) => {
    const { database } = await databaseOf('counter', 'counter-unhealthy')
    const { main, post } = await wholeRollback({ database, module: 'counter', inputs: { module: '', ...inputs } })
    const errors = [...errorsOf(main), ...errorsOf(post)]
    expect(errors).toHaveLength(1)
    expect(errors[0]?.message).toMatch(says)
    expect(main.exitCode).toBe(1)
    expect(await stage.liveHash(database)).toBe(hashOf('counter-unhealthy'))
  })
})
