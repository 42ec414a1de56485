import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { describe, expect, test } from '@jest/globals'
import { gitHubApi } from '../../src/github/api.ts'
import { chooseVersion } from '../../src/setup/choose-version.ts'
import { githubReleases, type Release } from '../../src/setup/releases.ts'
import { targetFor } from '../../src/setup/target.ts'
import { hastyNetwork, httpServers } from './http-server.ts'

const startHttp = httpServers()
const target = targetFor('linux', 'x64')
const digest = 'ab'.repeat(32)

function releaseOf(version: string, more: object = {}) {
  const name = target.asset
  const url = `https://github.com/clockworklabs/SpacetimeDB/releases/download/v${version}/${name}`
  return {
    tag_name: `v${version}`,
    draft: false,
    prerelease: false,
    assets: [{ name, size: 10, browser_download_url: url, digest: `sha256:${digest}` }],
    ...more
  }
}

function releasesAt(url: string, token?: string, signal?: AbortSignal) {
  const { clock, patience } = hastyNetwork()
  const api = gitHubApi({ url, token, version: '0', clock, patience, timeout: 2_000 })
  return githubReleases({ apis: [api], hasToken: token !== undefined, signal })
}

async function releasesFrom(listener: RequestListener, token?: string) {
  const seen: IncomingMessage[] = []
  const url = await startHttp((request, response) => {
    seen.push(request)
    listener(request, response)
  })
  return { releases: releasesAt(`${url}/`, token), seen, url }
}

const json = (response: ServerResponse, value: unknown, headers = {}) =>
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))

test('a release is found by its version, with the digests of its files', async () => {
  const { releases, seen } = await releasesFrom((_, response) => void json(response, releaseOf('2.8.3')), 'gh-token')
  const found = await releases.byVersion('2.8.3')
  expect(found).toMatchObject({
    kind: 'found',
    release: { version: '2.8.3', isPrerelease: false, assets: [{ name: target.asset, size: 10, digest }] }
  })
  expect(seen.map(({ url }) => url)).toEqual(['/repos/clockworklabs/SpacetimeDB/releases/tags/v2.8.3'])
  expect(seen[0]?.headers.authorization).toBe('Bearer gh-token')
})

test.each([null, undefined, 'md5:abc', 'sha256:short'])('a digest of %j is none', async (stated) => {
  const release = releaseOf('2.8.3')
  const assets = release.assets.map((asset) => ({ ...asset, digest: stated }))
  const { releases } = await releasesFrom((_, response) => void json(response, { ...release, assets }))
  const found = await releases.byVersion('2.8.3')
  expect(found).toMatchObject({ kind: 'found', release: { assets: [{ digest: undefined }] } })
})

test('all pages are read, and drafts and what is no version are left out', async () => {
  const pages = [
    [releaseOf('2.9.0', { draft: true }), releaseOf('2.8.3'), releaseOf('3.0.0', { prerelease: true })],
    [releaseOf('2.8.2'), releaseOf('nightly')]
  ]
  const { releases } = await releasesFrom((request, response) => {
    const page = Number(/[?&]page=(\d+)/.exec(request.url ?? '')?.[1] ?? 1)
    const next = `http://${request.headers.host}/repos/clockworklabs/SpacetimeDB/releases?page=${page + 1}`
    json(response, pages[page - 1] ?? [], page < pages.length ? { link: `<${next}>; rel="next"` } : {})
  })
  const list = await releases.all()
  expect(list).toMatchObject({
    kind: 'listed',
    releases: [{ version: '2.8.3' }, { version: '3.0.0', isPrerelease: true }, { version: '2.8.2' }]
  })
})

test('a redirect is followed, to another host without the token', async () => {
  const { releases, seen } = await releasesFrom((request, response) => {
    const port = request.socket.localPort
    if (request.url?.startsWith('/repositories')) json(response, releaseOf('2.8.3'))
    else response.writeHead(301, { location: `http://localhost:${port}/repositories/1/releases/tags/v2.8.3` }).end()
  }, 'gh-token')
  expect(await releases.byVersion('2.8.3')).toMatchObject({ kind: 'found' })
  expect(seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer gh-token', undefined])
})

test('github.com is asked for what the own server does not have', async () => {
  const asked: string[] = []
  const api = (name: string, answer: unknown) => ({
    get: async () => {
      asked.push(name)
      return answer as never
    },
    pages: async function* () {
      asked.push(name)
      yield answer as never
    }
  })
  const none = { kind: 'not-found', reason: 'GitHub has no such thing.' }
  const release = { version: '2.8.3', isPrerelease: false, assets: [] }
  const apis = [api('own', none), api('public', { kind: 'ok', value: release })]
  expect(await githubReleases({ apis, hasToken: true }).byVersion('2.8.3')).toMatchObject({ kind: 'found' })
  expect(asked).toEqual(['own', 'public'])
  const empty = githubReleases({ apis: [api('own', none)], hasToken: true })
  expect(await empty.all()).toMatchObject({ kind: 'unavailable', reason: expect.stringContaining('no repository') })
})

test('a job that is cancelled waits for no answer', async () => {
  const url = await startHttp(() => undefined)
  const cancelled = new AbortController()
  const found = releasesAt(url, undefined, cancelled.signal).byVersion('2.8.3')
  cancelled.abort()
  await expect(found).rejects.toThrow('The job was cancelled')
})

describe('what the API may answer instead', () => {
  const inAnHour = Math.floor(Date.now() / 1000) + 3600
  const limit = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(inAnHour) }
  const answer =
    (status: number, headers = {}, body = '{"message": "no"}'): RequestListener =>
    (_, response) =>
      void response.writeHead(status, headers).end(body)

  test.each<[title: string, listener: RequestListener, token: string | undefined, says: RegExp]>([
    [
      'a rate limit, without a token',
      answer(403, limit),
      undefined,
      /403, rate limit.*again at \d{4}-.*Z, in 60 min.*`github-token`/
    ],
    [
      'a rate limit, with one',
      answer(429, { 'retry-after': '120' }),
      'x',
      /429, rate limit.*in 2 min.*`version` exactly.*`sha256`/
    ],
    ['a bad token', answer(401), 'x', /does not know the token \(401.*`github-token`/],
    ['a ban', answer(403), 'x', /refused .*: no\. .*proxy/],
    ['trouble', answer(502), undefined, /answered 502/],
    [
      "a proxy's page",
      answer(200, {}, '<html>Please log in</html>'),
      undefined,
      /answer to .* has an unknown shape.*proxy/
    ],
    ['another shape', answer(200, {}, '{"tag_name": "v2.8.3"}'), undefined, /unknown shape: assets/]
  ])('%s', async (_, listener, token, says) => {
    const { releases } = await releasesFrom(listener, token)
    const found = await releases.byVersion('2.8.3')
    expect(found).toMatchObject({ kind: 'unavailable', reason: expect.stringMatching(says) })
  })

  test('nothing', async () => {
    const found = await releasesAt('http://127.0.0.1:9').byVersion('2.8.3')
    expect(found).toMatchObject({
      kind: 'unavailable',
      reason: expect.stringMatching(/could not be asked .*: 127\.0\.0\.1:9 refuses/)
    })
  })
})

describe('the version that is chosen', () => {
  const release = (version: string, more: Partial<Release> = {}): Release => ({
    version,
    isPrerelease: false,
    assets: [{ name: target.asset, url: 'https://x.org/', size: 1, digest: undefined }],
    ...more
  })
  const listed = {
    kind: 'listed',
    releases: [
      release('3.0.0-rc.1', { isPrerelease: true }),
      release('2.9.1', { assets: [] }),
      release('2.9.0'),
      release('2.8.3'),
      release('2.8.10'),
      release('1.12.0')
    ]
  } as const
  const noProject = async () => {
    throw new Error('not to be asked')
  }
  const choose = (request: Parameters<typeof chooseVersion>[0]) =>
    chooseVersion(request, noProject, { all: async () => listed }, target)

  test.each([
    [{ kind: 'latest' } as const, '2.9.0', /newest release/],
    [{ kind: 'range', range: '~2.8.0' } as const, '2.8.10', /input `version` asks for ~2\.8\.0; it is the newest/],
    [{ kind: 'range', range: '1.x' } as const, '1.12.0', /1\.x/]
  ])('for %j is %s', async (request, version, reason) => {
    expect(await choose(request)).toMatchObject({
      version,
      reason: expect.stringMatching(reason),
      release: { version }
    })
  })

  test('for an exact one is that, and nobody is asked', async () => {
    const all = async () => {
      throw new Error('not to be asked')
    }
    const chosen = await chooseVersion({ kind: 'exact', version: '2.8.3' }, noProject, { all }, target)
    expect(chosen).toEqual({ version: '2.8.3', reason: 'the input `version` says so' })
  })

  test("for auto is the project's", async () => {
    const project = async () => ({ kind: 'range', range: '^2.8', reason: 'Cargo.toml asks for ^2.8' }) as const
    const chosen = await chooseVersion({ kind: 'auto' }, project, { all: async () => listed }, target)
    expect(chosen).toMatchObject({
      version: '2.9.0',
      reason: 'Cargo.toml asks for ^2.8; it is the newest release of that range'
    })
  })

  test('is none when no release is in the range', async () => {
    await expect(choose({ kind: 'range', range: '^4' })).rejects.toThrow(
      /in the range \^4\. There are 2\.9\.1, 2\.9\.0, 2\.8\.10/
    )
  })

  test('is none when the list can not be had', async () => {
    const all = async () => ({ kind: 'unavailable', reason: 'There is no network.' }) as const
    await expect(chooseVersion({ kind: 'latest' }, noProject, { all }, target)).rejects.toThrow(
      /newest could not be found out\. There is no network\. An exact `version`/
    )
  })
})
