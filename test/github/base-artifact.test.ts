import { describe, expect, test } from '@jest/globals'
import type { ApiAnswer, GitHubApi } from '../../src/github/api.ts'
import { type BaseArtifactQuery, baseBranch, findBaseArtifact } from '../../src/github/base-artifact.ts'

const own = 1296269
const query: BaseArtifactQuery = {
  owner: 'octocat',
  repository: 'game',
  repositoryId: own,
  branch: 'main',
  name: 'module',
  runId: 100
}

type Run = { id: number; head_branch: string | null; repository_id: number; head_repository_id: number }
const artifact = (id: number, run: Partial<Run> = {}, rest: object = {}) => ({
  id,
  name: 'module',
  expired: false,
  digest: `sha256:${'0'.repeat(64)}`,
  workflow_run: {
    id: id * 10,
    head_sha: 'a'.repeat(40),
    head_branch: 'main',
    repository_id: own,
    head_repository_id: own,
    ...run
  },
  ...rest
})

/** Pages as GitHub would answer them, parsed by the shape that is asked for. */
function apiOf(
  pages: readonly (readonly unknown[] | ApiAnswer<never>)[],
  asked: string[] = []
): Pick<GitHubApi, 'pages'> {
  return {
    async *pages(path, shape) {
      asked.push(path)
      for (const page of pages) {
        if ('kind' in page) yield page
        else yield { kind: 'ok', value: shape.parse({ total_count: 1, artifacts: page }) }
      }
    }
  }
}

test('the newest of the branch is found, of whatever page', async () => {
  const asked: string[] = []
  const api = apiOf([[artifact(9, { head_branch: 'fix' })], [artifact(4), artifact(5)], [artifact(3)]], asked)
  expect(await findBaseArtifact(api, query)).toEqual({
    kind: 'found',
    artifact: {
      id: 5,
      name: 'module',
      digest: `sha256:${'0'.repeat(64)}`,
      branch: 'main',
      commit: 'a'.repeat(40),
      runId: 50
    }
  })
  expect(asked).toEqual(['/repos/octocat/game/actions/artifacts?per_page=100&name=module'])
})

describe('not taken is', () => {
  test.each<[string, unknown]>([
    ["one of a fork's branch of the same name", artifact(1, { head_repository_id: 9 })],
    ['one of another repository', artifact(1, { repository_id: 9, head_repository_id: 9 })],
    ['one of another branch', artifact(1, { head_branch: 'fix' })],
    ['one without a branch', artifact(1, { head_branch: null })],
    ['one that has expired', artifact(1, {}, { expired: true })],
    ['one of another name', artifact(1, {}, { name: 'module-x' })],
    ['one of no run', artifact(1, {}, { workflow_run: null })],
    ["this run's own", artifact(10, { id: 100 })]
  ])('%s', async (_, given) => {
    const search = await findBaseArtifact(apiOf([[given]]), query)
    expect(search).toEqual({ kind: 'none', reason: expect.stringMatching(/`main`.*`module`/) })
  })
})

test('what GitHub refuses is the reason', async () => {
  const refused = { kind: 'forbidden', reason: 'The job needs `permissions: actions: read`.' } as const
  expect(await findBaseArtifact(apiOf([refused]), query)).toEqual({ kind: 'none', reason: refused.reason })
})

test('a busy repository is not looked through without end', async () => {
  const others = [artifact(1, { head_branch: 'fix' })]
  const search = await findBaseArtifact(apiOf([...Array(5).fill(others), [artifact(2)]]), query)
  expect(search.kind).toBe('none')
})

test.each<[string, Record<string, string>, string | undefined]>([
  [
    'a pull request: the branch that it goes to',
    { GITHUB_BASE_REF: 'main', GITHUB_REF_NAME: '7/merge', GITHUB_REF_TYPE: 'branch' },
    'main'
  ],
  ['a push: the branch itself', { GITHUB_BASE_REF: '', GITHUB_REF_NAME: 'next', GITHUB_REF_TYPE: 'branch' }, 'next'],
  ['a tag: none', { GITHUB_BASE_REF: '', GITHUB_REF_NAME: 'v1', GITHUB_REF_TYPE: 'tag' }, undefined],
  ['elsewhere: none', {}, undefined]
])('the base of %s', (_, environment, branch) => expect(baseBranch(environment)).toBe(branch))
