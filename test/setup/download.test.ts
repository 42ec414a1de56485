import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { type DownloadRequest, download } from '../../src/setup/download.ts'
import { temporaryFolders } from './folders.ts'
import { hastyNetwork, httpServers } from './http-server.ts'

const makeFolder = temporaryFolders()
const startHttp = httpServers()

const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251))
const sha256 = createHash('sha256').update(bytes).digest('hex')

/** Downloads from a server that answers each request with the next of some functions, the last one for all more. */
async function downloadFrom(
  answers: readonly ((response: ServerResponse) => void)[],
  { signal, ...options }: Pick<DownloadRequest, 'size' | 'idle' | 'longest' | 'most'> & { signal?: AbortSignal } = {}
) {
  let asked = 0
  const url = await startHttp((_, response) => answers[Math.min(asked++, answers.length - 1)]?.(response))
  const file = join(makeFolder(), 'file')
  const network = hastyNetwork(signal)
  const result = await download({ url: `${url}/file`, file, ...options }, network)
  return { result, file, asked: () => asked, host: url.slice('http://'.length), retries: network.retries }
}

const good = (response: ServerResponse) => response.writeHead(200, { 'content-length': bytes.length }).end(bytes)
const cut = (response: ServerResponse) => {
  response.writeHead(200, { 'content-length': bytes.length })
  response.write(bytes.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 50))
}
const cutWithoutLength = (response: ServerResponse) => response.writeHead(200).end(bytes.subarray(0, 100_000))
const stalled = (response: ServerResponse) => {
  response.writeHead(200, { 'content-length': bytes.length })
  response.write(bytes.subarray(0, 100_000))
}
const endless = (response: ServerResponse) => {
  response.writeHead(200)
  const more = () => response.destroyed || response.write(bytes, () => setImmediate(more))
  more()
}
const dripping = (response: ServerResponse) => {
  response.writeHead(200)
  const drops = setInterval(() => response.write('.'), 20)
  response.once('close', () => clearInterval(drops))
}
const status = (code: number) => (response: ServerResponse) => response.writeHead(code).end('no')

test('a file arrives whole, with its digest', async () => {
  const { result, file, asked } = await downloadFrom([good], { size: bytes.length })
  expect(result).toEqual({ kind: 'downloaded', sha256, size: bytes.length })
  expect(readFileSync(file).equals(bytes)).toBe(true)
  expect(asked()).toBe(1)
})

describe('what passes is tried again', () => {
  test.each([
    ['a transfer that breaks off', cut, /truncated: it broke off after 100000 of 300000 bytes/],
    [
      'a short one that does not say how long it is',
      cutWithoutLength,
      /truncated: it broke off after 100000 of 300000/
    ],
    ['a server that is out of order', status(503), /answered 503/],
    ['a busy server', status(429), /answered 429/],
    ['a connection that is reset', (response: ServerResponse) => response.destroy(), /connection to .* broke/]
  ])('%s', async (_, trouble, reason) => {
    const { result, retries } = await downloadFrom([trouble, good], { size: bytes.length })
    expect(result).toMatchObject({ kind: 'downloaded', sha256 })
    expect(retries).toEqual([expect.stringMatching(reason)])
  })
})

describe('what does not pass is a reason', () => {
  test('after some tries, and nothing is left of the file', async () => {
    const { result, file, asked, host } = await downloadFrom([cut])
    expect(result).toEqual({
      kind: 'failed',
      reason: `the file from ${host} is truncated: it broke off after 100000 of 300000 bytes`
    })
    expect(asked()).toBe(3)
    expect(existsSync(file)).toBe(false)
  })

  test('when nothing comes any more', async () => {
    const { result, asked } = await downloadFrom([stalled], { idle: 100 })
    expect(result).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/sent nothing for 0.1 s, after 100000 of/)
    })
    expect(asked()).toBe(3)
  })

  test.each([
    ['it should be', { size: 100_000 }, endless, 100_000],
    ['any such file is', { most: 200_000 }, endless, 200_000],
    ['any such file is, though it says so', { most: 200_000 }, good, 200_000]
  ])('when it is larger than %s, at once', async (_, options, answer, limit) => {
    const { result, file, asked, host } = await downloadFrom([answer], options)
    expect(result).toEqual({ kind: 'failed', reason: `the file from ${host} is larger than ${limit} bytes` })
    expect(asked()).toBe(1)
    expect(existsSync(file)).toBe(false)
  })

  test.each([
    ['comes drop by drop', dripping],
    ['does not begin', () => {}]
  ])('when it %s, after the time for all tries', async (_, answer) => {
    const { result, host, asked } = await downloadFrom([answer], { longest: 300 })
    expect(result).toEqual({ kind: 'failed', reason: `${host} did not send all of it within 0.3 s` })
    expect(asked()).toBe(1)
  })

  test('when there is no such file, at once', async () => {
    const { result, asked } = await downloadFrom([status(404)])
    expect(result).toMatchObject({
      kind: 'failed',
      status: 404,
      reason: expect.stringContaining('404: there is no such file')
    })
    expect(asked()).toBe(1)
  })

  test('when nobody listens', async () => {
    const file = join(makeFolder(), 'file')
    const result = await download({ url: 'http://127.0.0.1:9/file', file }, hastyNetwork())
    expect(result).toEqual({ kind: 'failed', reason: '127.0.0.1:9 refuses connections (ECONNREFUSED)' })
  })
})

test('another file than expected is not asked for again: its digest tells', async () => {
  const { result, asked } = await downloadFrom([good], { size: bytes.length - 1 })
  expect(result).toMatchObject({ kind: 'downloaded', sha256 })
  expect(asked()).toBe(1)
})

test('a cancelled download ends at once', async () => {
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 100)
  const { result, asked } = await downloadFrom([stalled], { signal: controller.signal })
  expect(result.kind).toBe('failed')
  expect(asked()).toBe(1)
})

describe('redirects', () => {
  const redirect = (to: string) => (response: ServerResponse) => response.writeHead(302, { location: to }).end()

  test('are followed', async () => {
    const target = await startHttp((_, response) => void good(response))
    const { result } = await downloadFrom([redirect(`${target}/signed?secret=x`)])
    expect(result).toMatchObject({ kind: 'downloaded', sha256 })
  })

  test('without end are not', async () => {
    const { result, asked } = await downloadFrom([redirect('/again')])
    expect(result).toMatchObject({ kind: 'failed', reason: expect.stringContaining('more than 5 times') })
    expect(asked()).toBe(6)
  })

  test('their addresses are not shown: they may be signed', async () => {
    const target = await startHttp((_, response) => void status(403)(response))
    const { result } = await downloadFrom([redirect(`${target}/signed?secret=x`)])
    expect(result).toMatchObject({ kind: 'failed', status: 403, reason: expect.not.stringContaining('secret') })
  })
})
