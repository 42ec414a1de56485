import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { type Patience, withRetries } from '../retry.ts'
import { followRedirects, hostOf, type Network, passingProblem, reasonOf } from '../spacetimedb/network.ts'
import type { Sha256 } from './releases.ts'

/** Releases are some 60 MB and GitHub seldom fails: 4 tries, none begun later than 5 minutes after the first. */
export const downloadPatience: Patience = { attempts: 4, firstDelay: 500, longestDelay: 4000, total: 300_000 }

export type DownloadRequest = {
  readonly url: string
  readonly file: string
  /** In bytes, where it is known before: the truth where an answer does not state its length. */
  readonly size?: number | undefined
  /** Milliseconds without a byte after which it counts as broken; 30 s when left out. */
  readonly idle?: number
  /** Milliseconds for all tries together; 15 minutes when left out. */
  readonly longest?: number
  /** Bytes after which it is no such file, whatever is stated of it; 1 GiB when left out. */
  readonly most?: number
}

export type Downloaded =
  | { readonly kind: 'downloaded'; readonly sha256: Sha256; readonly size: number }
  /** `status` is that of an answer that isn't a file. The reason has no end. */
  | { readonly kind: 'failed'; readonly reason: string; readonly status?: number }

/**
 * Downloads a file, its SHA-256 computed on the way. Broken and truncated transfers are tried again; what is left of
 * them is removed. The end is a value; only a file that can't be written is an error.
 */
export async function download(request: DownloadRequest, network: Network): Promise<Downloaded> {
  const deadline = AbortSignal.timeout(request.longest ?? defaultLongest)
  const result = await withRetries(
    () => attempt(request, network, deadline),
    (given) => (given.kind === 'failed' && given.mayPass && !network.signal?.aborted ? given : undefined),
    { ...network, onRetry: ({ reason }) => network.onRetry(`${reason}; downloading again.`) }
  )
  if (result.kind === 'downloaded') return result
  await rm(request.file, { force: true })
  const { reason, status } = result
  return { kind: 'failed', reason, ...(status !== undefined && { status }) }
}

const defaultLongest = 15 * 60_000

type Attempt =
  | Extract<Downloaded, { kind: 'downloaded' }>
  | { readonly kind: 'failed'; readonly reason: string; readonly status?: number; readonly mayPass: boolean }

async function attempt(request: DownloadRequest, network: Network, deadline: AbortSignal): Promise<Attempt> {
  const { url, file, size, idle = 30_000, longest = defaultLongest, most = 1 << 30 } = request
  const stall = new AbortController()
  const signal = AbortSignal.any([stall.signal, deadline, ...(network.signal ? [network.signal] : [])])
  let host = hostOf(url)
  const result = await followRedirects(url, (address) => {
    host = hostOf(address)
    return network.transport.stream(
      { method: 'GET', url: address, headers: {}, timeout: 60_000, longestAnswer: 1 << 20, mayShareConnection: false },
      signal
    )
  })
  const late = () => {
    return {
      kind: 'failed',
      reason: `${host} did not send all of it within ${longest / 1000} s`,
      mayPass: false
    } as const
  }
  if (!('answer' in result)) {
    if (deadline.aborted) return late()
    return { kind: 'failed', reason: reasonOf(result, host), mayPass: passingProblem(result, host) !== undefined }
  }
  const { status, headers } = result.answer
  if (result.kind !== 'streaming') {
    const mayPass = passingProblem(result, host) !== undefined || status === 429
    return { kind: 'failed', reason: `${host} answered ${status}${meaningOf(status)}`, status, mayPass }
  }
  const { 'content-length': length } = headers
  const expected = length === undefined ? size : Number(length)
  const limit = Math.min(expected ?? most, most)
  const received = await receive(result.chunks, file, { idle, limit }, stall)
  const far = `${received.size}${expected === undefined ? '' : ` of ${expected}`} bytes`
  if (stall.signal.aborted) {
    return { kind: 'failed', reason: `${host} sent nothing for ${idle / 1000} s, after ${far}`, mayPass: true }
  }
  if (deadline.aborted) return late()
  if (received.kind === 'too-large') {
    return { kind: 'failed', reason: `the file from ${host} is larger than ${limit} bytes`, mayPass: false }
  }
  // A file that is whole and of another size is another file: its digest tells, and is not to be asked for again.
  if (received.kind !== 'whole' || (expected !== undefined && received.size < expected)) {
    return { kind: 'failed', reason: `the file from ${host} is truncated: it broke off after ${far}`, mayPass: true }
  }
  return { kind: 'downloaded', sha256: received.sha256, size: received.size }
}

type Received =
  | { readonly kind: 'whole'; readonly sha256: Sha256; readonly size: number }
  | { readonly kind: 'broken' | 'too-large'; readonly size: number }

async function receive(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  { idle, limit }: { readonly idle: number; readonly limit: number },
  stall: AbortController
): Promise<Received> {
  const hash = createHash('sha256')
  let size = 0
  let broken = false
  const timer = setTimeout(() => stall.abort(new Error('stalled')), idle)
  const counted = async function* () {
    try {
      for await (const chunk of chunks) {
        timer.refresh()
        size += chunk.byteLength
        if (size > limit) return
        hash.update(chunk)
        yield chunk
      }
    } catch {
      broken = true
    }
  }
  try {
    await pipeline(counted, createWriteStream(file))
  } finally {
    clearTimeout(timer)
  }
  if (size > limit) return { kind: 'too-large', size }
  return broken ? { kind: 'broken', size } : { kind: 'whole', sha256: hash.digest('hex') as Sha256, size }
}

function meaningOf(status: number): string {
  return status === 404 ? ': there is no such file' : status === 403 ? ': it forbids it, or has no such file' : ''
}
