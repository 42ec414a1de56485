import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { gitHubApi } from '../../src/github/api.ts'
import { stickyComment } from '../../src/github/comment.ts'
import { type GitHubApi, type GitHubRule, startGitHubApi } from '../stand-ins/github/api.ts'

const bot = 'github-actions[bot]'
const key = 'migrate-schema my-game on https://stdb.example.com'
const marker = `<!-- stdb-actions: ${key} -->`

let gitHub: GitHubApi

beforeEach(async () => {
  gitHub = await startGitHub()
})

afterEach(() => gitHub.close())

async function startGitHub(base = '') {
  const started = await startGitHubApi(undefined, { owner: 'org' }, base)
  started.state.pullRequests.push({ number: 7, owner: 'org', branch: 'fix', sha: 'c0ffee' })
  started.mostWrites = Number.POSITIVE_INFINITY
  started.addToken('writes', { login: bot, permissions: { 'pull-requests': 'write' } })
  started.addToken('reads', { login: bot, permissions: { 'pull-requests': 'read' } })
  started.addToken('sees-nothing', { login: bot, permissions: {} })
  started.addToken('of-alice', { login: 'alice', permissions: { 'pull-requests': 'write' } })
  return started
}

function apiOf(token: string) {
  return gitHubApi({
    url: gitHub.url,
    token,
    version: '0',
    timeout: 500,
    patience: { attempts: 3, firstDelay: 1, longestDelay: 2, total: 5_000 },
    clock: { now: Date.now, random: () => 0, sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) }
  })
}

function say(markdown: string | undefined, { token = 'writes', about = key } = {}) {
  return stickyComment(apiOf(token), { repository: 'org/game', issue: 7, key: about }, markdown)
}

const bodies = () => gitHub.state.comments.map(({ body }) => body)
const methods = () => gitHub.requests.map(({ method }) => method)
const answering = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) => {
  return { kind: 'answer', status, headers, body: JSON.stringify(body) } as const
}
const isOf = (method: string) => (request: { method: string; path: string }) =>
  request.method === method && !request.path.endsWith('/graphql')

describe('one comment', () => {
  test('is not made where only one that is there is to be changed', async () => {
    const place = { repository: 'org/game', issue: 7, key, isOnlyChanged: true }
    expect(await stickyComment(apiOf('writes'), place, 'gone')).toEqual({ kind: 'nothing' })
    expect(bodies()).toEqual([])
    await say('there')
    expect(await stickyComment(apiOf('writes'), place, 'gone')).toMatchObject({ kind: 'updated' })
    expect(bodies()).toEqual([`${marker}\ngone`])
  })

  test('is made, and says where', async () => {
    expect(await say('**none**')).toEqual({
      kind: 'created',
      url: `https://github.com/org/game/pull/7#issuecomment-${gitHub.state.comments[0]?.id}`
    })
    expect(bodies()).toEqual([`${marker}\n**none**`])
  })

  test('is changed in place', async () => {
    await say('first')
    expect(await say('second')).toMatchObject({ kind: 'updated' })
    expect(bodies()).toEqual([`${marker}\nsecond`])
  })

  test('is left alone when it says so already', async () => {
    await say('same\n\nlines\n')
    for (const comment of gitHub.state.comments) comment.body = comment.body.replaceAll('\n', '\r\n')
    gitHub.requests.length = 0
    expect(await say('same\n\nlines')).toMatchObject({ kind: 'unchanged' })
    expect(methods()).not.toContain('PATCH')
  })

  test.each([undefined, '', ' \n'])('is removed when there is nothing to say: %j', async (nothing) => {
    await say('something')
    expect(await say(nothing)).toEqual({ kind: 'removed' })
    expect(bodies()).toEqual([])
    expect(await say(nothing)).toEqual({ kind: 'nothing' })
  })

  test('is found behind hundreds of others', async () => {
    for (let count = 0; count < 250; count++) gitHub.state.addComment(7, 'alice', `comment ${count}`)
    await say('first')
    for (let count = 0; count < 50; count++) gitHub.state.addComment(7, 'alice', `comment ${count}`)
    expect(await say('second')).toMatchObject({ kind: 'updated' })
    expect(gitHub.state.comments[250]?.body).toBe(`${marker}\nsecond`)
    expect(gitHub.state.comments).toHaveLength(301)
  })

  test('is another for another key', async () => {
    await say('one')
    expect(await say('other', { about: `${key}/` })).toMatchObject({ kind: 'created' })
    expect(await say(undefined, { about: 'migrate-schema' })).toEqual({ kind: 'nothing' })
    expect(gitHub.state.comments).toHaveLength(2)
  })

  test('is found at a GitHub Enterprise, whose GraphQL API has another place', async () => {
    await gitHub.close()
    gitHub = await startGitHub('/api/v3')
    await say('first')
    expect(await say('second')).toMatchObject({ kind: 'updated' })
  })
})

describe('what others wrote', () => {
  test.each([
    ['the marker', 'alice', `${marker}\nnot ours`],
    ['the marker, in a comment of an account that is gone', null, `${marker}\nnot ours`],
    ['the marker, as another app', 'stranger[bot]', `${marker}\nnot ours`],
    ['a quotation of it, by the same token', bot, `> ${marker}\n> first`],
    ['a longer key', bot, `<!-- stdb-actions: ${key}2 -->\nnot ours`]
  ])('is left alone: %s', async (_, login, body) => {
    gitHub.state.addComment(7, login, body)
    expect(await say('ours')).toMatchObject({ kind: 'created' })
    expect(await say('ours now')).toMatchObject({ kind: 'updated' })
    expect(await say(undefined)).toEqual({ kind: 'removed' })
    expect(bodies()).toEqual([body])
  })

  test('belongs to whom the token is of', async () => {
    await say('by the bot')
    expect(await say('by alice', { token: 'of-alice' })).toMatchObject({ kind: 'created' })
    expect(await say('by alice again', { token: 'of-alice' })).toMatchObject({ kind: 'updated' })
    expect(bodies()).toEqual([`${marker}\nby the bot`, `${marker}\nby alice again`])
  })
})

describe('the marker', () => {
  test.each(['a-->b', '--!>', 'a\nb', '<script>', 'a<!--b', '>', '->', '-', '\u2028', '100%', 'ä-\u{1f600}'])(
    'holds %j and nothing gets out of it',
    async (about) => {
      await say('text', { about })
      const [first, ...rest] = bodies()[0]?.split('\n') ?? []
      expect(first).toMatch(/^<!-- stdb-actions: (?:(?!--|[<>]).)* -->$/u)
      expect(rest).toEqual(['text'])
      expect(await say('text', { about })).toMatchObject({ kind: 'unchanged' })
    }
  )

  test('differs for keys that differ', async () => {
    for (const about of ['a--b', 'a-%2Db', 'a%2D-b', 'a-b']) await say('text', { about })
    expect(new Set(bodies()).size).toBe(4)
  })
})

describe('a long text', () => {
  test.each(['line of text\n'.repeat(10_000), `\`\`\`\n${'😀 code\n'.repeat(20_000)}\`\`\``])(
    'is cut, %#',
    async (text) => {
      expect(await say(text)).toMatchObject({ kind: 'created' })
      expect(bodies()[0]?.length).toBeGreaterThan(63_000)
      expect(bodies()[0]?.length).toBeLessThanOrEqual(64_000)
      expect(bodies()[0]).toMatch(/_The rest was cut[^\n]+_$/)
      expect(await say(text)).toMatchObject({ kind: 'unchanged' })
    }
  )

  test('is refused by GitHub only when the key alone is too long', async () => {
    expect(await say('text', { about: 'x'.repeat(70_000) })).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('Validation Failed')
    })
  })
})

describe('what may not be written', () => {
  test('on a pull request from a fork, says which permission is missing', async () => {
    const outcome = await say('text', { token: 'reads' })
    expect(outcome).toEqual({
      kind: 'not-allowed',
      reason:
        'GitHub refused POST /repos/org/game/issues/7/comments: Resource not accessible by integration. ' +
        'The job needs `permissions: pull-requests: write`. For a pull request from a fork GitHub gives the job a ' +
        'token that may only read.'
    })
    expect(methods().filter((method) => method === 'POST')).toHaveLength(1)
  })

  test('not even read', async () => {
    expect(await say('text', { token: 'sees-nothing' })).toMatchObject({
      kind: 'not-allowed',
      reason: expect.stringContaining('pull-requests: write')
    })
  })

  test('changed or removed, neither', async () => {
    await say('text')
    expect(await say('other', { token: 'reads' })).toMatchObject({ kind: 'not-allowed' })
    expect(await say(undefined, { token: 'reads' })).toMatchObject({ kind: 'not-allowed' })
    expect(bodies()).toEqual([`${marker}\ntext`])
  })

  test('with a token that GitHub does not know', async () => {
    const outcome = await say('text', { token: 'unknown' })
    expect(outcome).toMatchObject({ kind: 'not-allowed', reason: expect.stringContaining('`github-token`') })
    expect(JSON.stringify(outcome)).not.toContain('unknown"')
  })

  test('because the conversation is locked, says that and nothing of permissions', async () => {
    const body = { message: 'Unable to create comment because issue is locked.' }
    gitHub.faults.push({ on: isOf('POST'), fault: answering(403, body) })
    const outcome = await say('text')
    expect(outcome).toMatchObject({ kind: 'not-allowed', reason: expect.stringContaining('locked') })
    expect(outcome).not.toMatchObject({ reason: expect.stringContaining('pull-requests') })
  })
})

const serverError = (method: string, times?: number): GitHubRule => {
  const fault = answering(502, { message: 'Server Error' })
  return { on: isOf(method), fault, ...(times !== undefined && { times }) }
}

describe('when GitHub has trouble', () => {
  test('asks again for what may be repeated', async () => {
    await say('first')
    gitHub.faults.push(serverError('GET', 2), serverError('PATCH', 2))
    expect(await say('second')).toMatchObject({ kind: 'updated' })
    gitHub.faults.push(serverError('DELETE', 2))
    expect(await say(undefined)).toEqual({ kind: 'removed' })
  })

  test.each(['GET', 'POST', 'PATCH', 'DELETE'])('says so when each %s fails', async (method) => {
    if (method === 'PATCH' || method === 'DELETE') await say('first')
    gitHub.faults.push(serverError(method))
    const outcome = await say(method === 'DELETE' ? undefined : 'second')
    expect(outcome).toMatchObject({ kind: 'failed', reason: expect.stringContaining('502') })
  })

  test('sends a new comment once', async () => {
    gitHub.faults.push(serverError('POST'))
    await say('text')
    expect(methods().filter((method) => method === 'POST')).toHaveLength(1)
  })

  test.each<[string, GitHubRule['fault']]>([
    ['reset', { kind: 'reset-after' }],
    ['never comes', { kind: 'hang' }]
  ])('finds the comment although its answer %s', async (_, fault) => {
    gitHub.faults.push({ on: isOf('POST'), fault, times: 1 })
    expect(await say('text')).toMatchObject({ kind: 'created' })
    expect(bodies()).toEqual([`${marker}\ntext`])
  })

  test('says that it failed when the connection ends before', async () => {
    gitHub.faults.push({ on: isOf('POST'), fault: { kind: 'reset-before' } })
    expect(await say('text')).toMatchObject({ kind: 'failed', reason: expect.stringContaining('could not be asked') })
    expect(bodies()).toEqual([])
  })

  test('removes once, although the answer is lost', async () => {
    await say('text')
    gitHub.faults.push({ on: isOf('DELETE'), fault: { kind: 'reset-after' }, times: 1 })
    expect(await say(undefined)).toEqual({ kind: 'removed' })
  })

  test('waits for no rate limit, and says until when', async () => {
    const reset = Math.round(Date.now() / 1000) + 600
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(reset) }
    const body = { message: 'API rate limit exceeded for installation ID 1.' }
    gitHub.faults.push({ on: isOf('GET'), fault: answering(403, body, headers) })
    expect(await say('text')).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining(new Date(reset * 1000).toISOString())
    })
    expect(gitHub.requests).toHaveLength(1)
  })

  test.each([
    ['is refused', { data: null, errors: [{ type: 'FORBIDDEN', message: 'Resource not accessible' }] }, 'not-allowed'],
    ['is not known', { errors: [{ message: 'Something went wrong' }] }, 'failed'],
    ['is something else', { data: { viewer: null } }, 'failed'],
    ['is no GraphQL', 'hello', 'failed']
  ])('touches nothing when the token’s own name %s', async (_, body, kind) => {
    await say('first')
    gitHub.faults.push({ path: /\/graphql$/, fault: answering(200, body) })
    expect(await say('second')).toMatchObject({ kind })
    expect(await say(undefined)).toMatchObject({ kind })
    expect(bodies()).toEqual([`${marker}\nfirst`])
  })

  test.each([[{}], ['text'], [[{ id: 'x' }]], [null]])('takes no answer of another shape: %j', async (body) => {
    gitHub.faults.push({ on: isOf('GET'), fault: answering(200, body) })
    expect(await say('text')).toMatchObject({ kind: 'failed', reason: expect.stringContaining('unknown shape') })
  })

  test('says so when nothing listens', async () => {
    const api = gitHubApi({
      url: 'http://127.0.0.1:1',
      token: 'writes',
      version: '0',
      patience: { attempts: 1, firstDelay: 1, longestDelay: 1, total: 1 },
      clock: { now: Date.now, random: () => 0, sleep: async () => {} }
    })
    const outcome = await stickyComment(api, { repository: 'org/game', issue: 7, key }, 'text')
    expect(outcome).toMatchObject({ kind: 'failed', reason: expect.stringContaining('could not be asked') })
  })
})

describe('two runs at once', () => {
  test('that both find none leave one', async () => {
    gitHub.delays = ({ method }) => (method === 'POST' ? [30, 0] : [0, 0])
    const outcomes = await Promise.all([say('one'), say('two')])
    expect(gitHub.state.comments).toHaveLength(1)
    expect(outcomes.filter(({ kind }) => kind === 'failed')).toEqual([])
  })

  test('leave one, whatever the delays', async () => {
    const delay = fc.integer({ min: 0, max: 6 })
    const delays = fc.array(fc.tuple(delay, delay), { minLength: 12, maxLength: 12 })
    const said = fc.constantFrom('one', 'two')
    await fc.assert(
      fc.asyncProperty(delays, said, said, async (pairs, first, second) => {
        gitHub.state.comments.length = 0
        let count = 0
        gitHub.delays = () => pairs[count++ % pairs.length] ?? [0, 0]
        const outcomes = await Promise.all([say(first), say(second)])
        expect(outcomes.every(({ kind }) => kind === 'created' || kind === 'updated' || kind === 'unchanged')).toBe(
          true
        )
        expect(gitHub.state.comments).toHaveLength(1)
        expect([`${marker}\n${first}`, `${marker}\n${second}`]).toContain(bodies()[0])
      }),
      { numRuns: 40 }
    )
  })

  test('that left two are put right by the next', async () => {
    gitHub.state.addComment(7, bot, `${marker}\none`)
    gitHub.state.addComment(7, 'alice', 'hello')
    gitHub.state.addComment(7, bot, `${marker}\ntwo`)
    expect(await say('three')).toMatchObject({ kind: 'updated' })
    expect(bodies()).toEqual([`${marker}\nthree`, 'hello'])
  })

  test('of which one has nothing to say', async () => {
    await say('first')
    gitHub.delays = ({ method }) => (method === 'PATCH' ? [40, 0] : [0, 0])
    const outcomes = await Promise.all([say('second'), say(undefined)])
    expect(outcomes).toMatchObject([{ kind: 'created' }, { kind: 'removed' }])
    expect(bodies()).toEqual([`${marker}\nsecond`])
  })
})
