import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Clock } from '../../../src/clock.ts'
import { gitHubApi } from '../../../src/github/api.ts'
import { gitHubDeployments } from '../../../src/github/deployments.ts'
import type { RecordedRelease } from '../../../src/release/ledger/ledger.ts'
import { deploymentsLedger } from '../../../src/release/ledger/store.ts'
import { type GitHubApi, type GitHubRule, startGitHubApi } from '../../stand-ins/github/api.ts'
import { initialCommit } from '../../stand-ins/github/state.ts'
import { ended, place, recordOf } from './records.ts'

let server: GitHubApi

beforeAll(async () => {
  server = await startGitHubApi()
})

afterAll(() => server.close())

const clock: Clock = { now: Date.now, random: () => 0, sleep: async () => {} }

function ledger() {
  const patience = { attempts: 2, firstDelay: 1, longestDelay: 1, total: 5_000 }
  const token = server.issueToken({ deployments: 'write' })
  const api = gitHubApi({ url: server.url, token, version: '0', clock, timeout: 150, patience })
  const deployments = gitHubDeployments({ api, repository: 'octocat/game', task: 'stdb-actions', clock })
  return deploymentsLedger({ deployments, environment: 'my-game', commit: initialCommit })
}

const answering = (status: number, message: string, headers: Record<string, string> = {}): GitHubRule['fault'] => ({
  kind: 'answer',
  status,
  body: JSON.stringify({ message }),
  headers
})

const faults = fc.constantFrom<(GitHubRule['fault'] | undefined)[]>(
  undefined,
  undefined,
  { kind: 'reset-before' },
  { kind: 'reset-after' },
  { kind: 'cut' },
  { kind: 'hang' },
  { kind: 'corrupt' },
  answering(500, 'Server Error'),
  answering(502, 'Bad Gateway'),
  answering(403, 'You have exceeded a secondary rate limit.', { 'retry-after': '1' }),
  answering(403, 'You have exceeded a secondary rate limit.', { 'retry-after': '60' }),
  answering(403, 'Resource not accessible by integration')
)

/** The first request from now on meets the first of the faults, where it is one, and so on. */
function meetInTurn(sequence: readonly (GitHubRule['fault'] | undefined)[]): void {
  const first = server.requests.length + 1
  const rules = sequence.map((fault, index) => fault && { on: () => server.requests.length === first + index, fault })
  server.faults.splice(0, server.faults.length, ...rules.filter((rule) => rule !== undefined))
}

async function newest(): Promise<RecordedRelease | undefined> {
  for await (const answer of ledger().releases(place)) {
    if (answer.kind === 'failed') throw new Error(answer.reason)
    return answer.value
  }
  return undefined
}

test('whatever happens on the way, a release is written down once or not at all, and what is told of it is true', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(faults, { maxLength: 8 }), async (sequence) => {
      server.state.deployments.length = 0
      meetInTurn(sequence)
      const ours = ledger()
      const begun = await ours.begin(recordOf('a'))
      const over = begun.kind === 'ok' ? await ours.end(begun.value.id, ended('updated')) : undefined
      server.faults.length = 0
      expect(server.state.deployments.length).toBeLessThanOrEqual(1)
      const release = await newest()
      if (begun.kind === 'ok') expect(release?.id).toBe(begun.value.id)
      else expect(begun.reason).not.toBe('')
      if (over?.kind === 'ok') expect(release).toMatchObject({ state: 'good', result: 'updated' })
      if (over?.kind === 'failed') expect(['open', 'good']).toContain(release?.state)
    }),
    { numRuns: 40 }
  )
})
