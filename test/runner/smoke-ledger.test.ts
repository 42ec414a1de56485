import { afterAll, expect, jest, test } from '@jest/globals'
import { startLedgerStage } from './ledger-stage.ts'
import type { StepResult } from './runner.ts'
import { hashOf } from './stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(90_000)

const ledgerStage = await startLedgerStage()

afterAll(() => ledgerStage.close())

const messages = ({ annotations }: StepResult) => annotations.map(({ message }) => message).join('\n')

/** Without a credential of the server, as a job that only looks has it. */
const look = async (database: string, environment: string, permissions = { deployments: 'read' } as const) =>
  (await ledgerStage.run('smoke-test', { database, permissions, inputs: { token: '', environment } })).main

const deploy = async (database: string, module: string, inputs: Readonly<Record<string, string>>) =>
  (await ledgerStage.run('deploy', { database, module, inputs })).main

test.concurrent('what was released last has to be live; what somebody has published past it is found', async () => {
  const database = await ledgerStage.stage.databaseWith('counter')
  const environment = `${database}-production`

  const unknown = await look(database, environment)
  expect(unknown).toMatchObject({ exitCode: 0, outputs: { result: 'passed' } })
  expect(unknown.log).toContain(`Nothing was released to ${database} in the environment ${environment} yet`)

  expect(await deploy(database, 'counter-additive', { environment })).toMatchObject({ outputs: { result: 'updated' } })
  expect(await look(database, environment)).toMatchObject({
    exitCode: 0,
    outputs: { result: 'passed', 'module-hash': hashOf('counter-additive') }
  })

  const past = { ledger: 'none', 'allow-breaking-clients': 'true', environment }
  expect(await deploy(database, 'counter-reducer-param', past)).toMatchObject({ outputs: { result: 'updated' } })
  const drifted = await look(database, environment)
  expect(drifted).toMatchObject({ exitCode: 1, outputs: { result: 'failed', failed: '1' } })
  expect(drifted.summary).toContain(hashOf('counter-reducer-param'))
  expect(drifted.summary).toContain(hashOf('counter-additive'))
  expect(drifted.log).toContain('Somebody has published past the ledger of releases')
})

test.concurrent('what can not be looked up is not passed over', async () => {
  const database = await ledgerStage.stage.databaseWith('counter')
  const main = (
    await ledgerStage.run('smoke-test', {
      database,
      permissions: { contents: 'read' },
      inputs: { token: '', environment: 'production' }
    })
  ).main
  expect(main).toMatchObject({ exitCode: 1, outputs: { result: 'error' } })
  expect(messages(main)).toMatch(/The ledger of releases could not be read: .*deployments: read/)
})

test.concurrent.each([
  ['another word on what has to be live', { 'module-hash': 'a'.repeat(64) }],
  ['a throw-away server', { server: 'local', artifact: 'module', token: '' }]
])('it does not go with %s', async (_, more) => {
  const main = (await ledgerStage.run('smoke-test', { database: 'a', inputs: { environment: 'production', ...more } }))
    .main
  expect(main).toMatchObject({ exitCode: 1 })
  expect(messages(main)).toMatch(/The input `environment` says which module has to be live/)
})
