import { expect, jest, test } from '@jest/globals'
import { notesOf, openLedger } from '../../actions/ledger.ts'
import { quietLog } from '../quiet-log.ts'
import { ended, recordOf } from '../release/ledger/records.ts'
import { startGitHubApi } from '../stand-ins/github/api.ts'
import { initialCommit } from '../stand-ins/github/state.ts'

quietLog()

const run = {
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'octocat/game',
  GITHUB_RUN_ID: '7',
  GITHUB_SHA: initialCommit,
  GITHUB_REF: 'refs/heads/main',
  GITHUB_ACTOR: 'mona',
  GITHUB_TRIGGERING_ACTOR: 'hubot'
}

const logged = () => jest.mocked(process.stdout.write).mock.calls.map(([text]) => text)

test.each<[title: string, inputs: Parameters<typeof openLedger>[0], environment: object, reason: string | undefined]>([
  ['when none is wanted', { ledger: 'none', githubToken: 'x' }, run, undefined],
  ['without a token', { ledger: 'github', githubToken: undefined }, run, 'there is no `github-token`'],
  ['outside of a run', { ledger: 'github', githubToken: 'x' }, {}, 'this is no run of GitHub Actions']
])('there is no ledger %s', async (_, inputs, environment, reason) => {
  expect(await openLedger(inputs, 'my-game', { ...environment })).toBeUndefined()
  expect(logged()).toEqual(reason ? [expect.stringContaining(`Releases are not written down: ${reason}.`)] : [])
})

test('a release is written down in the environment of the database, or the one that is given', async () => {
  const server = await startGitHubApi()
  const githubToken = server.issueToken({ deployments: 'write' })
  const environment = { ...run, GITHUB_API_URL: server.url }
  try {
    for (const choice of [{}, { environment: 'production' }, { environment: 'my-game-pr-7', isTransient: true }]) {
      const ledger = await openLedger({ ledger: 'github', githubToken, ...choice }, 'my-game', environment)
      const begun = await ledger?.begin(recordOf('a', notesOf('deploy', environment)))
      if (begun?.kind === 'ok') await ledger?.end(begun.value.id, ended('updated'))
    }
    expect(server.state.deployments.map((each) => [each.environment, each.isTransient])).toEqual([
      ['my-game', false],
      ['production', false],
      ['my-game-pr-7', true]
    ])
    expect(server.state.deployments[0]).toMatchObject({
      ref: initialCommit,
      payload: { actor: 'hubot', run: 'https://github.com/octocat/game/actions/runs/7' },
      statuses: [{ state: 'in_progress' }, { state: 'success' }]
    })
  } finally {
    await server.close()
  }
})

test('a release of a module of another commit says so', () => {
  const of = { commit: 'c'.repeat(40), ref: undefined, restores: 3 }
  expect(notesOf('rollback', run, of)).toEqual({
    action: 'rollback',
    actor: 'hubot',
    run: 'https://github.com/octocat/game/actions/runs/7',
    ...of
  })
  expect(notesOf('deploy', {})).toEqual({ action: 'deploy' })
})
