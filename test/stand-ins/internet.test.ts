import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { root } from '../../scripts/repository.ts'
import { runProgram } from '../../src/process.ts'
import { releaseArchive } from './archives.ts'
import { type Internet, type InternetRule, startInternet } from './internet.ts'
import { rateLimitFault } from './internet-fault.ts'

/** Other work may keep the machine busy. */
jest.setTimeout(90_000)

const releases = [
  { version: '2.9.0-rc1', prerelease: true },
  { version: '2.8.4', draft: true },
  { version: '2.8.3' },
  { version: '2.8.2', digests: false, assets: ['spacetime-x86_64-unknown-linux-gnu.tar.gz'] }
]
let internet: Internet

beforeEach(async () => {
  internet = await startInternet({ releases, tokens: ['known'], anonymousLimit: 3 })
})

afterEach(() => internet.close())

type Got = {
  readonly status?: number
  readonly headers: Readonly<Record<string, string>>
  readonly length: number
  readonly sha256: string
  readonly text: string
  readonly error?: string
}

/** Gets a URL as actions do, with `@actions/http-client` in a process of its own. */
async function get(url: string, authorization?: string): Promise<Got> {
  const code = `
    import { HttpClient } from '@actions/http-client'
    import { createHash } from 'node:crypto'
    const client = new HttpClient('test', [], { socketTimeout: 1000, maxRedirects: 5 })
    const answer = async () => {
      const { message } = await client.get(${JSON.stringify(url)}, ${JSON.stringify(authorization ? { authorization } : {})})
      const chunks = []
      for await (const chunk of message) chunks.push(chunk)
      const body = Buffer.concat(chunks)
      const sha256 = 'sha256:' + createHash('sha256').update(body).digest('hex')
      const text = body.length < 50000 ? body.toString() : ''
      return { status: message.statusCode, headers: message.headers, length: body.length, sha256, text }
    }
    console.log(JSON.stringify(await answer().catch(({ message }) => ({ error: message }))))
    process.exit()`
  const { stdout, stderr } = await runProgram({
    program: process.execPath,
    args: ['--input-type=module', '--eval', code],
    folder: root,
    environment: { ...internet.environment }
  })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout) as Got
}

const api = 'https://api.github.com/repos/clockworklabs/SpacetimeDB/releases'
const asset = 'spacetime-x86_64-unknown-linux-gnu.tar.gz'
const download = `https://github.com/clockworklabs/SpacetimeDB/releases/download/v2.8.3/${asset}`
const mirror = `https://spacetimedb-client-binaries.s3.amazonaws.com/refs/tags/v2.8.3/${asset}`

describe("GitHub's releases API", () => {
  test('knows a release by its tag, and the latest that is none before its time', async () => {
    const archive = await releaseArchive('2.8.3', 'x86_64-unknown-linux-gnu')
    const tagged = JSON.parse((await get(`${api}/tags/v2.8.3`)).text)
    expect(tagged).toMatchObject({ tag_name: 'v2.8.3', draft: false, prerelease: false })
    expect(tagged.assets).toHaveLength(5)
    expect(tagged.assets[0]).toMatchObject({
      name: asset,
      size: archive.bytes.length,
      digest: archive.digest,
      browser_download_url: download
    })
    expect(JSON.parse((await get(`${api}/latest`)).text)).toEqual(tagged)
    expect(await get(`${api}/tags/v2.8.4`)).toMatchObject({ status: 404, text: expect.stringContaining('Not Found') })
  })

  test('lists them in pages, drafts left out', async () => {
    const first = await get(`${api}?per_page=2`)
    const versions = (text: string) => (JSON.parse(text) as { tag_name: string }[]).map(({ tag_name }) => tag_name)
    expect(versions(first.text)).toEqual(['v2.9.0-rc1', 'v2.8.3'])
    expect(first.headers.link).toContain(`<${api}?per_page=2&page=2>; rel="next"`)
    const second = await get(`${api}?per_page=2&page=2`)
    expect(versions(second.text)).toEqual(['v2.8.2'])
    expect(JSON.parse(second.text)[0].assets).toMatchObject([{ name: asset, digest: null }])
  })

  test('counts requests, and knows tokens', async () => {
    expect((await get(`${api}/latest`)).headers).toMatchObject({
      'x-ratelimit-limit': '3',
      'x-ratelimit-remaining': '2'
    })
    await get(api)
    await get(api)
    const refused = await get(`${api}/latest`)
    expect(refused).toMatchObject({ status: 403, text: expect.stringContaining('API rate limit exceeded') })
    expect(refused.headers['x-ratelimit-remaining']).toBe('0')
    expect((await get(`${api}/latest`, 'Bearer known')).headers['x-ratelimit-limit']).toBe('5000')
    expect(await get(`${api}/latest`, 'Bearer other')).toMatchObject({
      status: 401,
      text: expect.stringContaining('Bad credentials')
    })
  })
})

test.each([
  ['github.com, by way of the host that it redirects to', download],
  ['the mirror on S3', mirror],
  ["a company's mirror", `https://mirror.example/below/v2.8.3/${asset}`]
])('an archive comes from %s', async (_, url) => {
  const { digest } = await releaseArchive('2.8.3', 'x86_64-unknown-linux-gnu')
  expect(await get(url)).toMatchObject({ status: 200, sha256: digest })
  const hosts = internet.requests.map(({ host, status }) => `${host} ${status}`)
  expect(hosts).toEqual(
    url === download ? ['github.com 302', 'release-assets.githubusercontent.com 200'] : [`${new URL(url).host} 200`]
  )
})

test('no other host is reached, and what each was sent is recorded', async () => {
  expect((await get('https://elsewhere.test/')).error).toContain('502')
  await get(`${api}/latest`, 'Bearer known')
  expect(internet.requests).toMatchObject([
    { host: 'elsewhere.test', method: 'CONNECT', status: 502 },
    { host: 'api.github.com', method: 'GET', authorization: 'Bearer known', status: 200 }
  ])
})

describe('faults', () => {
  const whole = async () => (await releaseArchive('2.8.3', 'x86_64-unknown-linux-gnu')).bytes
  const host = 'spacetimedb-client-binaries.s3.amazonaws.com'
  const failing: [title: string, fault: InternetRule['fault'], error: RegExp][] = [
    ['a host that is down', { kind: 'down' }, /ECONNRESET|socket hang up|tunneling socket/],
    ['a reset', { kind: 'reset-before' }, /ECONNRESET|socket hang up|disconnected/],
    ['no answer', { kind: 'hang' }, /timeout/i],
    ['an answer that stops', { kind: 'stall' }, /aborted|timeout/i],
    ['an answer that is cut', { kind: 'cut' }, /aborted/],
    ['less than was announced', { kind: 'short', announced: true }, /aborted/],
    ['redirected without an end', { kind: 'redirect-loop' }, /^$/]
  ]

  test.each(failing)('%s', async (title, fault, error) => {
    internet.faults.push({ host, fault })
    const got = await get(mirror)
    if (title.startsWith('redirected')) expect(got.status).toBe(302)
    else expect(got.error).toMatch(error)
    expect(internet.requestsTo(host).at(-1)?.fault).toBe(fault.kind)
  })

  test('less, and nobody said how much it would be', async () => {
    internet.faults.push({ host, fault: { kind: 'short', announced: false } })
    expect(await get(mirror)).toMatchObject({ status: 200, length: Math.floor((await whole()).length / 2) })
  })

  test('other bytes, once', async () => {
    internet.faults.push({ host, path: /\.tar\.gz/, times: 1, fault: { kind: 'corrupt' } })
    const digest = `sha256:${createHash('sha256')
      .update(await whole())
      .digest('hex')}`
    const first = await get(mirror)
    expect(first.length).toBe((await whole()).length)
    expect(first.sha256).not.toBe(digest)
    expect((await get(mirror)).sha256).toBe(digest)
  })

  test('slow, but all of it', async () => {
    internet.faults.push({ host, fault: { kind: 'trickle', duration: 200 } })
    expect((await get(mirror)).length).toBe((await whole()).length)
  })

  test('another answer, such as that of a used up limit', async () => {
    internet.faults.push({ host: 'api.github.com', fault: rateLimitFault(1_800_000_000) })
    const got = await get(`${api}/latest`)
    expect(got).toMatchObject({
      status: 403,
      headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1800000000' }
    })
  })
})

test('leads to a server on loopback by a name of its own, over TLS', async () => {
  const server = createServer((request, response) => response.end(`${request.headers.host}${request.url}`))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  internet.servers.set('stdb.example.org', (server.address() as AddressInfo).port)
  expect(await get('https://stdb.example.org/v1/ping')).toMatchObject({ status: 200, text: 'stdb.example.org/v1/ping' })
  expect(await get('https://other.example.org/')).toMatchObject({ error: expect.stringContaining('502') })
  server.closeAllConnections()
  server.close()
})
