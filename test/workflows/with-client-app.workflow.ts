import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, jest, test } from '@jest/globals'
import { hashOf } from '../runner/stage.ts'
import { game } from './game.ts'
import type { RepositoryFiles } from './game-repository.ts'
import { startWorkflowStage, variables } from './stage.ts'

jest.setTimeout(600_000)

/** Where the client is put online. */
const host = mkdtempSync(join(tmpdir(), 'client-host-'))
const online = () => (existsSync(join(host, 'online')) ? readFileSync(join(host, 'online'), 'utf8') : undefined)
const stage = await startWorkflowStage()
afterAll(async () => {
  await stage.close()
  rmSync(host, { recursive: true, force: true })
})

const { token, liveHash, publish } = stage.server()
const run = () => {
  const secrets = { SPACETIMEDB_TOKEN: token, CLIENT_TOKEN: 'client-token-5b1f0c' }
  return stage.run({ workflow: 'with-client-app.yml', event: { kind: 'push' }, secrets, variables })
}

/** A client that says its version, and which of its scripts fails. */
async function gameWithClient(module: string, version: string, fails?: string): Promise<RepositoryFiles> {
  const script = (name: string, command: string) => (name === fails ? 'exit 1' : command)
  const scripts = {
    build: `mkdir -p dist && ls src/module_bindings/index.ts && echo ${version} > dist/version`,
    deploy: script(
      'deploy',
      `test -n "$CLIENT_TOKEN" && touch ${host}/online && cp ${host}/online ${host}/before && cp dist/version ${host}/online`
    ),
    check: script('check', `grep -q ${version} ${host}/online`),
    rollback: `cp ${host}/before ${host}/online`
  }
  const lock = { name: 'client', lockfileVersion: 3, packages: { '': { name: 'client' } } }
  return {
    ...(await game(module)),
    'client/package.json': JSON.stringify({ name: 'client', scripts }),
    'client/package-lock.json': JSON.stringify(lock)
  }
}

test('releases the module, then the client that was built with its bindings', async () => {
  await publish('my-game', 'counter')
  stage.repository.commit(await gameWithClient('counter', '1.0.0'))
  expect((await run()).jobs).toEqual({ build: 'success', release: 'success' })
  expect(online()).toBe('1.0.0\n')
})

test('when the client does not work, both are as they were', async () => {
  stage.repository.commit(await gameWithClient('counter-additive', '2.0.0', 'check'))
  const { jobs, steps } = await run()
  expect(jobs).toEqual({ build: 'success', release: 'failure' })
  expect(online()).toBe('1.0.0\n')
  expect(await liveHash('my-game')).toBe(hashOf('counter'))
  expect(steps).toContainEqual({ job: 'release', step: 'Put the module back', stage: 'Main', result: 'success' })
})

test('when the client can not be deployed, the module goes back', async () => {
  stage.repository.commit(await gameWithClient('counter-additive', '3.0.0', 'deploy'))
  expect((await run()).jobs).toEqual({ build: 'success', release: 'failure' })
  expect(online()).toBe('1.0.0\n')
  expect(await liveHash('my-game')).toBe(hashOf('counter'))
})
