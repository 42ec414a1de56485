import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readRunFacts } from '../../actions/docker-publish/event.ts'
import { ConfigurationError } from '../../src/errors.ts'
import { type GitEvent, isBeforeMerge } from '../../src/image/git-event.ts'
import { imageTags } from '../../src/image/tags.ts'
import { payloadOf } from './events.ts'

const folder = mkdtempSync(join(tmpdir(), 'events-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const commit = '7fd1a60b01f91b314f59955a4e4d4e80d8edf11d'
const now = Date.UTC(2026, 10, 25, 4, 5, 6)

type Run = { readonly title: string; readonly name: string; readonly ref: string; readonly payload: object }

const push = payloadOf('push')
const request = payloadOf('pull_request', ({ action }) => action === 'opened')
const defaultBranch = push.repository.default_branch as string

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
  queue: {
    title: 'a merge queue',
    name: 'merge_group',
    ref: 'refs/heads/gh-readonly-queue/main/pr-1-abc',
    payload: {}
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
  const run = runs[key]
  if (run === undefined) throw new Error(`no run ${key}`)
  const path = join(folder, `${key}.json`)
  writeFileSync(path, JSON.stringify(run.payload))
  const environment = { GITHUB_EVENT_PATH: path, GITHUB_EVENT_NAME: run.name, GITHUB_REF: run.ref, GITHUB_SHA: commit }
  return (await readRunFacts(environment)).event
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
    { run: 'target', tags: [`pr-${request.number}`, 'sha-7fd1a60'] },
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
    expect(isBeforeMerge(await eventOf(key))).toBe(['request', 'target', 'queue'].includes(key))
  }
)
