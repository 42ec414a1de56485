import { readFileSync } from 'node:fs'
import { afterAll, expect, jest, test } from '@jest/globals'
import { startProxy } from '../faults/proxy.ts'
import { type LedgerStepOptions, startLedgerStage } from './ledger-stage.ts'
import { hashOf } from './stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(90_000)

const ledger = await startLedgerStage()
const { stage } = ledger

afterAll(() => ledger.close())

/** A database with `counter`, and what a job needs to apply a plan that leads to `counter-unhealthy`. */
async function planned(more: LedgerStepOptions['inputs'] = {}): Promise<LedgerStepOptions & { database: string }> {
  const database = await stage.databaseWith('counter')
  const plan = { database, module: 'counter-unhealthy', inputs: { 'upload-plan': 'false' } }
  const { job, step } = ledger.start('migrate-schema', plan)
  const { outputs } = await step.result
  const files = { 'plan.json': readFileSync(outputs.plan ?? '', 'utf8') }
  job.end()
  const inputs = { mode: 'apply', plan: 'plan.json', environment: database, ...more }
  return { database, module: 'counter-unhealthy', files, inputs }
}

const hashes = (entries: ReturnType<typeof ledger.entries>) =>
  entries.map(({ payload }) => (payload as { moduleHash: string }).moduleHash)

test('an applied plan is a release, over the one that was live before', async () => {
  const options = await planned()
  const { main, post } = await ledger.run('migrate-schema', options)
  expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'updated' } })
  expect(main.annotations).toEqual([])
  expect(post).toMatchObject({ exitCode: 0, annotations: [] })
  const entries = ledger.entries(options.database)
  expect(hashes(entries)).toEqual([hashOf('counter'), hashOf('counter-unhealthy')])
  const [adopted, release] = entries
  expect(adopted).toMatchObject({ payload: { action: 'adopt' }, states: ['in_progress', 'success', 'inactive'] })
  expect(release).toMatchObject({
    payload: { action: 'migrate-schema', planDigest: main.outputs['plan-digest'], previousHash: hashOf('counter') },
    states: ['in_progress', 'success']
  })
  expect(main.outputs['release-id']).toBe(String(release?.id))
  expect(main.summary).toContain(`| Release | [${release?.id}](`)
})

test('one that is killed once it is live is written down by the post step', async () => {
  const proxy = await startProxy(stage.server.url)
  const options = await planned()
  // The plan names the server that it was made for, and the identity of the database counts.
  const inputs = { ...options.inputs, server: proxy.url }
  const { job, step } = ledger.start('migrate-schema', { ...options, inputs, secrets: () => [...proxy.issuedTokens] })
  proxy.inject({ match: { method: 'PUT' }, fault: { kind: 'hang', forward: true }, answered: () => step.kill() })
  await step.result
  expect(ledger.entries(options.database)[1]?.states).toEqual(['in_progress'])
  const [post] = await job.post()
  job.end()
  await proxy.close()
  expect(post).toMatchObject({ exitCode: 1 })
  expect(post?.log).toContain('is written down as unhealthy')
  expect(ledger.entries(options.database)[1]).toMatchObject({ states: ['in_progress', 'failure'] })
  expect(await stage.liveHash(options.database)).toBe(hashOf('counter-unhealthy'))
})

test('one over what somebody published by hand is refused when it is to stop then', async () => {
  const first = await planned()
  expect((await ledger.run('migrate-schema', first)).main.outputs.result).toBe('updated')
  expect((await stage.publish(first.database, 'counter')).status).toBe(200)
  const plan = { database: first.database, module: 'counter-additive', inputs: { 'upload-plan': 'false' } }
  const { job, step } = ledger.start('migrate-schema', plan)
  const files = { 'plan.json': readFileSync((await step.result).outputs.plan ?? '', 'utf8') }
  job.end()
  const inputs = { ...first.inputs, 'on-drift': 'fail' }
  const { main } = await ledger.run('migrate-schema', { ...plan, files, inputs })
  expect(main).toMatchObject({ exitCode: 1, outputs: { result: 'refused' } })
  expect(main.log).toContain('Somebody has published past the ledger')
  expect(ledger.entries(first.database)).toHaveLength(2)
})

test('without a token that may, and with GitHub that does not answer, it is applied all the same', async () => {
  const { permissions, ...forbidden } = { ...(await planned()), permissions: { contents: 'read' } as const }
  const { main } = await ledger.run('migrate-schema', { ...forbidden, permissions })
  expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'updated' } })
  expect(main.outputs['release-id']).toBeUndefined()
  expect(main.annotations.map(({ level }) => level)).toEqual(['warning'])
  expect(main.annotations[0]?.message).toContain('deployments')

  const options = await planned()
  const rule = { path: /deployments/, fault: { kind: 'hang' } } as const
  ledger.github.api.faults.push(rule)
  const startedAt = Date.now()
  const slow = await ledger.run('migrate-schema', options)
  expect(Date.now() - startedAt).toBeLessThan(30_000)
  ledger.github.api.faults.splice(ledger.github.api.faults.indexOf(rule), 1)
  expect(slow.main).toMatchObject({ exitCode: 0, outputs: { result: 'updated' } })
  expect(slow.main.annotations.map(({ message }) => message)).toEqual([
    expect.stringContaining('there was no answer within 4 s')
  ])
})
