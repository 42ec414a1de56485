import { createRequire } from 'node:module'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { systemClock } from '../../src/clock.ts'
import { gitHubApi } from '../../src/github/api.ts'
import { findPullRequest, pullRequestOf, pullRequestState } from '../../src/github/pull-request.ts'
import { startGitHubApi } from '../stand-ins/github/api.ts'
import type { Permissions } from '../stand-ins/github/state.ts'

// biome-ignore lint/suspicious/noExplicitAny: payloads are JSON of many shapes
type Payload = any

const examples: { name: string; examples: Payload[] }[] = createRequire(import.meta.url)('@octokit/webhooks-examples')

function payloads(event: string): Payload[] {
  const definition = examples.find(({ name }) => name === event)
  if (!definition) throw new Error(`no example of ${event}`)
  return structuredClone(definition.examples)
}

/** A run's payload with a pull request: GitHub's example is of a run that something else started. */
function workflowRun(change: (payload: Payload) => void = () => {}): Payload {
  const payload = payloads('workflow_run').find(({ workflow_run: run }) => run.pull_requests.length === 1)
  const run = payload.workflow_run
  run.event = 'pull_request'
  run.pull_requests[0].base.repo.id = payload.repository.id
  run.pull_requests[0].head.sha = run.head_sha
  change(payload)
  return payload
}

const fromFork = (payload: Payload) => {
  payload.workflow_run.pull_requests = []
  payload.workflow_run.head_repository.owner.login = 'stranger'
  payload.workflow_run.head_branch = 'main'
  payload.workflow_run.head_sha = 'c0ffee'
}

describe('the pull request of an event', () => {
  test.each(['pull_request', 'pull_request_target'])('is named by %s', (event) => {
    for (const payload of payloads('pull_request')) {
      expect(pullRequestOf(event, payload)).toEqual({ kind: 'found', number: payload.number })
    }
  })

  test.each(['pull_request_review', 'pull_request_review_comment'])('is named by %s', (event) => {
    for (const payload of payloads(event)) {
      expect(pullRequestOf(event, payload)).toEqual({ kind: 'found', number: payload.pull_request.number })
    }
  })

  test('is the one that a comment is on, if it is on one', () => {
    for (const payload of payloads('issue_comment')) {
      const { number } = payload.issue
      expect(pullRequestOf('issue_comment', payload)).toMatchObject({ kind: 'none' })
      payload.issue.pull_request = { url: `https://api.github.com/repos/Codertocat/Hello-World/pulls/${number}` }
      expect(pullRequestOf('issue_comment', payload)).toEqual({ kind: 'found', number })
    }
  })

  test('is the one whose commit a workflow ran for', () => {
    expect(pullRequestOf('workflow_run', workflowRun())).toEqual({ kind: 'found', number: 2 })
  })

  test.each<[string, (payload: Payload) => void, object]>([
    ['was started by a push', ({ workflow_run: run }) => (run.event = 'push'), { kind: 'none', reason: /`push`/ }],
    [
      'is of two',
      ({ workflow_run: run }) => run.pull_requests.push({ ...run.pull_requests[0], number: 3 }),
      { kind: 'none', reason: /#2, #3/ }
    ],
    ['has moved on', ({ workflow_run: run }) => (run.pull_requests[0].head.sha = 'newer'), { kind: 'head' }],
    [
      'goes to another repository',
      ({ workflow_run: run }) => (run.pull_requests[0].base.repo.id = 1),
      { kind: 'head' }
    ],
    ['is from a fork', fromFork, { kind: 'head', head: { owner: 'stranger', branch: 'main', commit: 'c0ffee' } }],
    [
      'is from a fork that is gone',
      (payload) => {
        fromFork(payload)
        payload.workflow_run.head_repository = null
      },
      { kind: 'none' }
    ]
  ])('of a workflow that %s', (_, change, expected) => {
    const { reason, ...rest } = expected as { reason?: RegExp }
    const found = pullRequestOf('workflow_run', workflowRun(change))
    expect(found).toMatchObject(rest)
    if (reason) expect(found).toMatchObject({ reason: expect.stringMatching(reason) })
  })

  test('is not there for runs that no pull request started, in GitHub’s own examples', () => {
    for (const payload of payloads('workflow_run')) {
      expect(pullRequestOf('workflow_run', payload)).toMatchObject({ kind: 'none' })
    }
    for (const payload of payloads('push')) expect(pullRequestOf('push', payload)).toMatchObject({ kind: 'none' })
    expect(pullRequestOf('schedule', {})).toMatchObject({ kind: 'none', reason: expect.stringContaining('`schedule`') })
  })

  const events = ['pull_request', 'pull_request_target', 'issue_comment', 'workflow_run', 'push', '']

  test('is none, and nothing is thrown, for a payload of any shape', () => {
    fc.assert(
      fc.property(fc.constantFrom(...events), fc.jsonValue(), (event, payload) => {
        expect(pullRequestOf(event, payload).kind).toBe('none')
      })
    )
  })
})

describe('a pull request from a fork', () => {
  const search = async (...open: { number: number; sha: string; branch?: string }[]) => {
    const gitHub = await startGitHubApi(undefined, { owner: 'org' })
    const token = gitHub.issueToken({ 'pull-requests': 'read' })
    for (const { number, sha, branch = 'main' } of open) {
      gitHub.state.pullRequests.push({ number, owner: 'stranger', branch, sha })
    }
    const api = gitHubApi({ url: gitHub.url, token, version: '0', clock: systemClock })
    const payload = workflowRun(fromFork)
    return findPullRequest(api, { repository: 'org/game', eventName: 'workflow_run', payload }).finally(() =>
      gitHub.close()
    )
  }

  test('is found by its branch and commit', async () => {
    const others = { number: 8, sha: 'c0ffee', branch: 'other' }
    expect(await search(others, { number: 9, sha: 'c0ffee' })).toEqual({ kind: 'found', number: 9 })
  })

  test('is none when another commit was pushed since, or it is not open', async () => {
    expect(await search({ number: 9, sha: 'newer' })).toMatchObject({ kind: 'none' })
    expect(await search()).toMatchObject({ kind: 'none', reason: expect.stringContaining('no open pull request') })
  })

  test('is none when the token may not look', async () => {
    const gitHub = await startGitHubApi(undefined, { owner: 'org' })
    const api = gitHubApi({ url: gitHub.url, token: gitHub.issueToken({}), version: '0', clock: systemClock })
    const run = { repository: 'org/game', eventName: 'workflow_run', payload: workflowRun(fromFork) }
    const found = await findPullRequest(api, run).finally(() => gitHub.close())
    expect(found).toMatchObject({ kind: 'none', reason: expect.stringContaining('`permissions: pull-requests: read`') })
  })
})

describe('whether a pull request is open', () => {
  const stateOf = async (number: number, permissions: Permissions = { 'pull-requests': 'read' }) => {
    const gitHub = await startGitHubApi(undefined, { owner: 'org' })
    const branch = { owner: 'org', branch: 'x', sha: 'c0ffee', updatedAt: '2026-11-25T12:00:00Z' }
    gitHub.state.pullRequests.push({ ...branch, number: 7 }, { ...branch, number: 8, state: 'closed' })
    const token = gitHub.issueToken(permissions)
    const api = gitHubApi({ url: gitHub.url, token, version: '0', clock: systemClock })
    return pullRequestState(api, 'org/game', number).finally(() => gitHub.close())
  }

  test('is told, and when anything happened to it', async () => {
    expect(await stateOf(7)).toEqual({ kind: 'open', updated: Date.parse('2026-11-25T12:00:00Z') })
    expect(await stateOf(8)).toEqual({ kind: 'closed' })
    expect(await stateOf(9)).toMatchObject({ kind: 'missing', reason: expect.stringContaining('/pulls/9') })
  })

  test('is not known without the permission, or from an answer of another shape', async () => {
    const forbidden = await stateOf(7, {})
    expect(forbidden).toMatchObject({ kind: 'unknown', reason: expect.stringContaining('pull-requests: read') })
    const other = { number: 6, state: 'closed', updated_at: '2026-11-25T12:00:00Z' } as const
    const get = async (_path: string, shape: { parse(value: unknown): unknown }) => ({
      kind: 'ok' as const,
      value: shape.parse(other) as never
    })
    expect(await pullRequestState({ get }, 'org/game', 7)).toMatchObject({ kind: 'unknown' })
  })
})
