import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { reasonForNoCredential, reasonNotToTrust } from '../../actions/preview/skipping.ts'
import type { Task } from '../../actions/preview/task.ts'
import type { Environment } from '../../src/action/inputs.ts'

const folder = mkdtempSync(join(tmpdir(), 'skipping-'))

afterAll(() => rmSync(folder, { recursive: true }))

/** Of a pull request whose branch is in this repository. */
function runFor(repository: string, more: Environment = {}): Environment {
  const path = join(folder, `${repository.replace('/', '-')}.json`)
  writeFileSync(path, JSON.stringify({ pull_request: { head: { repo: { full_name: repository } } } }))
  return { GITHUB_EVENT_PATH: path, GITHUB_REPOSITORY: 'octocat/game', ...more }
}

const token = { token: 'a.b.c', auth: undefined }
const oidc = { token: undefined, auth: 'oidc' } as const
const nothing = { token: undefined, auth: undefined }
const idToken = { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://run.example' }
const [own, fork] = ['octocat/game', 'hubot/game']
const dependabot = { GITHUB_ACTOR: 'dependabot[bot]' }

describe('a credential', () => {
  test.each<[string, Parameters<typeof reasonForNoCredential>[0], Environment, RegExp | undefined]>([
    ['a token', token, runFor(own), undefined],
    ['a token for a fork', token, runFor(fork), undefined],
    ['an ID token', oidc, runFor(own, idToken), undefined],
    ['a secret that a fork does not get', nothing, runFor(fork), /fork no secrets and no ID token/],
    ['an ID token that a fork does not get', oidc, runFor(fork), /fork no secrets and no ID token/],
    ['a secret that Dependabot does not get', nothing, runFor(own, dependabot), /Dependabot's runs no secrets/],
    ['an ID token without the permission, of which the connection tells', oidc, runFor(own), undefined]
  ])('%s', async (_name, inputs, environment, reason) => {
    const found = await reasonForNoCredential(inputs, environment)
    if (reason === undefined) expect(found).toBeUndefined()
    else expect(found).toMatch(reason)
  })

  test('that nobody has given is an error', async () => {
    await expect(reasonForNoCredential(nothing, runFor(own))).rejects.toThrow(
      /Give one of the inputs `token` and `auth: oidc`/
    )
  })
})

describe('the module of a fork', () => {
  const byEvent: Task = { kind: 'update', number: 7, isByEvent: true }
  const target = { GITHUB_EVENT_NAME: 'pull_request_target' }
  test.each<[string, Task, Environment, boolean]>([
    ['is not published by `pull_request_target`', byEvent, runFor(fork, target), true],
    ['is published when somebody says so', { ...byEvent, isByEvent: false }, runFor(fork, target), false],
    ['is deleted all the same', { ...byEvent, kind: 'delete' }, runFor(fork, target), false],
    ['is not that of a branch', byEvent, runFor(own, target), false],
    ['has no credential otherwise', byEvent, runFor(fork, { GITHUB_EVENT_NAME: 'pull_request' }), false]
  ])('%s', async (_name, task, environment, isLeft) => {
    const reason = await reasonNotToTrust(task, environment)
    if (isLeft) expect(reason).toMatch(/from a fork.*`mode: update` publishes it/)
    else expect(reason).toBeUndefined()
  })
})
