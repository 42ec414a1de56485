import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { spec } from '../../actions/docker-publish/spec.ts'
import { planImage } from '../../actions/image-plan.ts'
import { readRunFacts } from '../../actions/run-facts.ts'
import { type Environment, readInputs } from '../../src/action/inputs.ts'
import { ConfigurationError } from '../../src/errors.ts'
import { type GitEvent, isBeforeMerge } from '../../src/image/git-event.ts'
import { imageTags, pushedTags } from '../../src/image/tags.ts'
import { type Payload, payloadOf } from './events.ts'

const folder = mkdtempSync(join(tmpdir(), 'events-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const commit = '7fd1a60b01f91b314f59955a4e4d4e80d8edf11d'
const now = Date.UTC(2026, 10, 25, 4, 5, 6)

type Run = { readonly title: string; readonly name: string; readonly ref: string; readonly payload: object }

const push = payloadOf('push')
const request = payloadOf('pull_request', ({ action }) => action === 'opened')
const defaultBranch = push.repository.default_branch as string

const workflowRun = payloadOf('workflow_run')
const headCommit = request.pull_request.head.sha as string
const runCommit = 'c0ffee0b01f91b314f59955a4e4d4e80d8edf11d'

function fromFork(payload: Payload): Payload {
  const { pull_request: change } = payload
  const repo = { ...change.head.repo, full_name: 'stranger/game' }
  return { ...payload, pull_request: { ...change, head: { ...change.head, repo } } }
}

function ofRequest(payload: Payload, from: string): Payload {
  const head = { head_sha: runCommit, head_repository: { full_name: from }, pull_requests: [] }
  return { ...payload, workflow_run: { ...payload.workflow_run, event: 'pull_request', ...head } }
}

const runs: Readonly<Record<string, Run>> = {
  main: { title: 'a push to the default branch', name: 'push', ref: `refs/heads/${defaultBranch}`, payload: push },
  branch: { title: 'a push to a branch', name: 'push', ref: 'refs/heads/feature/Ünïcode+1', payload: push },
  tag: { title: 'a version', name: 'push', ref: 'refs/tags/v1.2.3', payload: push },
  prerelease: { title: 'a prerelease', name: 'push', ref: 'refs/tags/v2.0.0-rc.1', payload: push },
  built: { title: 'a version with build metadata', name: 'push', ref: 'refs/tags/1.2.3+linux.7', payload: push },
  word: { title: 'a tag that is no version', name: 'push', ref: 'refs/tags/nightly', payload: push },
  release: {
    title: 'a release',
    name: 'release',
    ref: 'refs/tags/v0.4.0',
    payload: payloadOf('release')
  },
  request: {
    title: 'a pull request',
    name: 'pull_request',
    ref: `refs/pull/${request.number}/merge`,
    payload: request
  },
  target: {
    title: 'a pull request, in the branch that it goes to',
    name: 'pull_request_target',
    ref: `refs/heads/${request.pull_request.base.ref}`,
    payload: request
  },
  fork: {
    title: 'a pull request from a fork, in the branch that it goes to',
    name: 'pull_request_target',
    ref: `refs/heads/${request.pull_request.base.ref}`,
    payload: fromFork(request)
  },
  forkRequest: {
    title: 'a pull request from a fork',
    name: 'pull_request',
    ref: `refs/pull/${request.number}/merge`,
    payload: fromFork(request)
  },
  gone: {
    title: 'a pull request from a fork that is gone',
    name: 'pull_request_target',
    ref: `refs/heads/${request.pull_request.base.ref}`,
    payload: {
      ...request,
      pull_request: { ...request.pull_request, head: { ...request.pull_request.head, repo: null } }
    }
  },
  after: {
    title: 'what follows a run of a push',
    name: 'workflow_run',
    ref: `refs/heads/${workflowRun.repository.default_branch}`,
    payload: { ...workflowRun, workflow_run: { ...workflowRun.workflow_run, event: 'push' } }
  },
  afterRequest: {
    title: 'what follows a run of a pull request',
    name: 'workflow_run',
    ref: `refs/heads/${workflowRun.repository.default_branch}`,
    payload: ofRequest(workflowRun, workflowRun.repository.full_name)
  },
  afterFork: {
    title: 'what follows a run of a pull request from a fork',
    name: 'workflow_run',
    ref: `refs/heads/${workflowRun.repository.default_branch}`,
    payload: ofRequest(workflowRun, 'stranger/game')
  },
  queuePush: {
    title: 'a push of a merge queue',
    name: 'push',
    ref: 'refs/heads/gh-readonly-queue/main/pr-1-abc',
    payload: push
  },
  queue: {
    title: 'a merge queue',
    name: 'merge_group',
    ref: 'refs/heads/gh-readonly-queue/main/pr-1-abc',
    payload: { repository: push.repository }
  },
  schedule: {
    title: 'a schedule',
    name: 'schedule',
    ref: `refs/heads/${defaultBranch}`,
    payload: { schedule: '0 4 * * *', repository: push.repository }
  },
  hand: {
    title: 'a run by hand',
    name: 'workflow_dispatch',
    ref: `refs/heads/${defaultBranch}`,
    payload: { inputs: {}, repository: push.repository }
  }
}

async function eventOf(key: string): Promise<GitEvent> {
  return (await readRunFacts(await environmentOf(key))).event
}

async function environmentOf(key: string): Promise<Environment> {
  const run = runs[key]
  if (run === undefined) throw new Error(`no run ${key}`)
  const path = join(folder, `${key}.json`)
  writeFileSync(path, JSON.stringify(run.payload))
  return { GITHUB_EVENT_PATH: path, GITHUB_EVENT_NAME: run.name, GITHUB_REF: run.ref, GITHUB_SHA: commit }
}

describe('without rules', () => {
  test.each([
    { run: 'main', tags: [defaultBranch, 'latest', 'sha-7fd1a60'] },
    { run: 'branch', tags: ['feature-n-code-1', 'sha-7fd1a60'] },
    { run: 'tag', tags: ['1.2.3', '1.2', '1', 'sha-7fd1a60'] },
    { run: 'prerelease', tags: ['2.0.0-rc.1', 'sha-7fd1a60'] },
    { run: 'built', tags: ['1.2.3', '1.2', '1', 'sha-7fd1a60'] },
    { run: 'word', tags: ['sha-7fd1a60'] },
    { run: 'release', tags: ['0.4.0', '0.4', '0', 'sha-7fd1a60'] },
    { run: 'request', tags: [`pr-${request.number}`, 'sha-7fd1a60'] },
    { run: 'target', tags: [`pr-${request.number}`, `sha-${headCommit.slice(0, 7)}`] },
    { run: 'queue', tags: ['sha-7fd1a60'] },
    { run: 'queuePush', tags: ['sha-7fd1a60'] },
    { run: 'after', tags: [workflowRun.repository.default_branch, 'latest', 'sha-7fd1a60'] },
    { run: 'afterRequest', tags: ['sha-c0ffee0'] },
    { run: 'schedule', tags: [defaultBranch, 'latest', 'sha-7fd1a60'] },
    { run: 'hand', tags: [defaultBranch, 'latest', 'sha-7fd1a60'] }
  ])('$run: $tags', async ({ run, tags }) => {
    expect(imageTags(undefined, await eventOf(run), now)).toEqual(tags)
  })
})

describe('a rule', () => {
  test.each([
    { rules: 'type=semver,pattern={{version}}', run: 'tag', tags: ['1.2.3'] },
    { rules: 'type=semver,pattern=v{{major}}.{{minor}}.{{patch}}', run: 'tag', tags: ['v1.2.3'] },
    { rules: 'type=semver,pattern={{raw}}', run: 'tag', tags: ['v1.2.3'] },
    { rules: 'type=semver,pattern={{raw}}', run: 'prerelease', tags: ['v2.0.0-rc.1'] },
    { rules: 'type=semver,pattern={{major}}', run: 'prerelease', tags: ['2.0.0-rc.1'] },
    { rules: 'type=semver,pattern={{version}}', run: 'main', tags: [] },
    { rules: 'type=semver,pattern={{major}},value=v3.4.5', run: 'main', tags: ['3'] },
    { rules: 'type=semver,pattern={{version}},value=', run: 'main', tags: [] },
    { rules: 'type=ref,event=branch', run: 'branch', tags: ['feature-n-code-1'] },
    { rules: 'type=ref,event=branch', run: 'target', tags: [] },
    { rules: 'type=ref,event=tag', run: 'word', tags: ['nightly'] },
    { rules: 'type=ref,event=tag', run: 'main', tags: [] },
    { rules: 'type=ref,event=pr', run: 'request', tags: [`pr-${request.number}`] },
    {
      rules: 'type=ref,event=pr,prefix=review-,suffix=-{{sha}}',
      run: 'request',
      tags: [`review-${request.number}-7fd1a60`]
    },
    { rules: 'type=ref,event=pr', run: 'main', tags: [] },
    { rules: 'type=sha', run: 'main', tags: ['sha-7fd1a60'] },
    { rules: 'type=sha,format=long,prefix=', run: 'main', tags: [commit] },
    { rules: 'type=schedule', run: 'schedule', tags: ['nightly'] },
    { rules: "type=schedule,pattern={{date 'YYYYMMDD-HHmmss'}}", run: 'schedule', tags: ['20261125-040506'] },
    { rules: 'type=schedule', run: 'hand', tags: [] },
    { rules: 'type=raw,value=stable', run: 'main', tags: ['stable'] },
    { rules: 'stable', run: 'main', tags: ['stable'] },
    { rules: 'type=raw,value={{branch}}-{{base_ref}}{{tag}}', run: 'main', tags: [`${defaultBranch}-`] },
    { rules: 'type=raw,value=latest,enable={{is_default_branch}}', run: 'branch', tags: [] },
    { rules: 'type=raw,value=latest,enable=false', run: 'main', tags: [] },
    { rules: 'type=raw,value=low,priority=1\ntype=raw,value=high', run: 'main', tags: ['high', 'low'] },
    { rules: 'type=sha\n\n# a remark\ntype=ref,event=branch\n', run: 'main', tags: [defaultBranch, 'sha-7fd1a60'] },
    { rules: 'one\none', run: 'main', tags: ['one'] },
    { rules: `type=raw,value=..-${'x'.repeat(200)}`, run: 'main', tags: ['x'.repeat(128)] }
  ])('$rules, $run: $tags', async ({ rules, run, tags }) => {
    expect(imageTags(rules, await eventOf(run), now)).toEqual(tags)
  })

  test.each([
    { rules: 'type=pep440,pattern={{version}}', says: /`pep440`.*`semver`/ },
    { rules: 'type=sha,length=7', says: /`length=`.*`format`.*`enable`/ },
    { rules: 'type=semver', says: /needs `pattern=…`/ },
    { rules: 'type=ref,event=release', says: /`event=release`.*`branch`, `tag`, `pr`/ },
    { rules: 'type=sha,format=tiny', says: /`short`, `long`/ },
    { rules: 'type=raw,value=x,enable=maybe', says: /`enable=maybe`.*`true` and `false`/ },
    { rules: 'type=raw,value=x,priority=high', says: /whole number/ },
    { rules: 'type=raw,value=x,value=y', says: /twice/ },
    { rules: 'type=raw,value=x,oops', says: /`oops`, which is no `name=value`/ },
    { rules: 'type=raw,value={{brunch}}', says: /`\{\{brunch\}\}`.*`\{\{branch\}\}`/ },
    { rules: 'type=raw,value=...', says: /empty tag/ },
    { rules: 'type=semver,pattern={{version}},value=next', says: /`value=next`.*`1\.2\.3`/ }
  ])('$rules is refused', async ({ rules, says }) => {
    const event = await eventOf('main')
    const make = () => imageTags(rules, event, now)
    expect(make).toThrow(ConfigurationError)
    expect(make).toThrow(says)
    expect(make).toThrow('Input `tags`: the line')
  })

  test('makes what a registry takes, whatever the branch is called', async () => {
    const event = await eventOf('main')
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (branch) => {
        const rules = 'type=sha\ntype=ref,event=branch,prefix=b'
        for (const tag of imageTags(rules, { ...event, ref: `refs/heads/${branch}` }, now)) {
          expect(tag).toMatch(/^\w[\w.-]{0,127}$/)
        }
      })
    )
  })
})

test.each(Object.entries(runs).map(([key, { title }]) => ({ key, title })))(
  'whether $title is before a merge',
  async ({ key }) => {
    const proposed = ['request', 'target', 'queue', 'queuePush', 'afterRequest']
    const fromForks = ['fork', 'forkRequest', 'gone', 'afterFork']
    const { stage, ...event } = await eventOf(key)
    expect(stage).toBe(fromForks.includes(key) ? 'proposed-from-fork' : proposed.includes(key) ? 'proposed' : 'merged')
    expect(isBeforeMerge({ stage, ...event })).toBe(stage !== 'merged')
  }
)

test.each([
  { run: 'main', tags: ['latest', '3.0.0', 'sha-7fd1a60'] },
  { run: 'request', tags: [`pr-${request.number}`, 'sha-7fd1a60'] },
  { run: 'target', tags: [`pr-${request.number}`, `sha-${headCommit.slice(0, 7)}`] },
  { run: 'queue', tags: ['sha-7fd1a60'] },
  { run: 'afterRequest', tags: ['sha-c0ffee0'] }
])('what may be pushed of $run: $tags', async ({ run, tags }) => {
  const rules =
    'latest\ntype=semver,pattern={{version}},value=3.0.0,priority=150\ntype=ref,event=pr\ntype=sha\ntype=schedule'
  expect(pushedTags(rules, await eventOf(run), now)).toEqual(tags)
})

test.each([
  { run: 'main', asked: false, push: true },
  { run: 'after', asked: false, push: true },
  { run: 'target', asked: false, push: false },
  { run: 'target', asked: true, push: true },
  { run: 'fork', asked: true, push: false },
  { run: 'forkRequest', asked: true, push: false },
  { run: 'gone', asked: true, push: false },
  { run: 'queue', asked: true, push: true },
  { run: 'afterRequest', asked: false, push: false },
  { run: 'afterRequest', asked: true, push: true },
  { run: 'afterFork', asked: true, push: false }
])('$run, push-pull-requests $asked: pushed $push', async ({ run, asked, push: pushed }) => {
  const environment = await environmentOf(run)
  const inputs = { INPUT_MODULE: 'm.wasm', INPUT_IMAGE: 'r.example/g', 'INPUT_PUSH-PULL-REQUESTS': String(asked) }
  const variables = { ...environment, GITHUB_WORKSPACE: folder, SOURCE_DATE_EPOCH: '0' }
  const plan = await planImage(readInputs(spec, inputs), undefined, variables, now)
  expect(plan.push).toBe(pushed)
  if (!pushed) expect(plan.heldBack).toMatch(asked ? /fork/ : /push-pull-requests/)
})

test('rules that push nothing before the merge are told which would', async () => {
  const inputs = { INPUT_MODULE: 'm.wasm', INPUT_IMAGE: 'r.example/g', 'INPUT_PUSH-PULL-REQUESTS': 'true' }
  const given = readInputs(spec, { ...inputs, INPUT_TAGS: 'latest' })
  const planned = environmentOf('request').then((environment) => planImage(given, undefined, environment, now))
  await expect(planned).rejects.toThrow(/Before the merge `type=ref,event=pr` and `type=sha`/)
})
