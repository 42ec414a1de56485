import { createHash } from 'node:crypto'
import { hostOf } from '../../spacetimedb/network.ts'
import { type Attempted, failureOf } from './failures.ts'
import type { Digest } from './reference.ts'
import type { Job, Registry } from './registry.ts'

export type ContentRequest = {
  /** Below the repository: `blobs/sha256:…`. */
  readonly path: string
  /** For a message: "the module's bytes". */
  readonly what: string
  readonly accept: string
  /** Bytes after which it is given up. */
  readonly most: number
  /** What it has to be. Without a digest, it is whatever the registry gives. */
  readonly digest?: Digest | undefined
  readonly size?: number | undefined
}

export type Content = { readonly bytes: Uint8Array; readonly digest: Digest }

/** Milliseconds for all of a transfer. */
const longest = 15 * 60_000

/**
 * Reads what a registry stores, `undefined` where there is no such thing. The digest is computed from the bytes as they
 * arrive: what the registry says of it is not looked at. What breaks off is asked for again; throws a `RegistryFailure`
 * for other bytes than were asked for, or more.
 */
export function readContent(registry: Registry, job: Job, request: ContentRequest): Promise<Content | undefined> {
  return registry.persist(() => attempt(registry, job, request))
}

async function attempt(registry: Registry, job: Job, request: ContentRequest): Promise<Attempted<Content | undefined>> {
  const { signal: cancelled } = registry.network
  const stall = new AbortController()
  const ends = [stall.signal, AbortSignal.timeout(longest), ...(cancelled ? [cancelled] : [])]
  const { path, accept } = request
  const outcome = await registry.open({ method: 'GET', job, at: { path }, headers: { accept } }, AbortSignal.any(ends))
  const { url, from, result } = outcome
  if (result.kind !== 'streaming') {
    const isAbsent = from === 'registry' && result.kind === 'answered' && result.answer.status === 404
    return isAbsent ? { kind: 'done', value: undefined } : registry.failed(outcome, job)
  }
  const most = Math.min(request.size ?? request.most, request.most)
  return judge(await receive(result.chunks, { most, idle: registry.idle }, stall), request, job, hostOf(url))
}

type Received = {
  readonly end: 'whole' | 'broken' | 'too-large'
  readonly bytes: Uint8Array
  readonly digest: Digest
}

async function receive(
  chunks: AsyncIterable<Uint8Array>,
  { most, idle }: { readonly most: number; readonly idle: number },
  stall: AbortController
): Promise<Received> {
  const hash = createHash('sha256')
  const parts: Uint8Array[] = []
  let size = 0
  let end: Received['end'] = 'whole'
  const timer = setTimeout(() => stall.abort(new Error('stalled')), idle)
  try {
    for await (const chunk of chunks) {
      timer.refresh()
      size += chunk.byteLength
      if (size > most) {
        end = 'too-large'
        break
      }
      hash.update(chunk)
      parts.push(chunk)
    }
  } catch {
    end = 'broken'
  } finally {
    clearTimeout(timer)
  }
  return { end, bytes: new Uint8Array(Buffer.concat(parts)), digest: `sha256:${hash.digest('hex')}` as Digest }
}

function judge({ end, bytes, digest }: Received, request: ContentRequest, job: Job, host: string): Attempted<Content> {
  const { what, size, most } = request
  const failed = (reason: string) => failureOf(job, `${reason}.`)
  if (end === 'too-large') {
    const limit =
      size !== undefined && size <= most ? `${size} bytes that it should have` : `${most} bytes that are taken`
    return { kind: 'failed', error: failed(`${what} from ${host} has more than the ${limit}`) }
  }
  if (end === 'broken' || (size !== undefined && bytes.length < size)) {
    const far = `${bytes.length}${size === undefined ? '' : ` of ${size}`} bytes`
    const reason = `${what} from ${host} broke off after ${far}`
    return { kind: 'failed', error: failed(reason), retry: { reason } }
  }
  if (request.digest !== undefined && digest !== request.digest) {
    return {
      kind: 'failed',
      error: failed(
        `${what} from ${host} is not what was asked for: its digest is ${digest}, not ${request.digest}. The registry, a cache or ` +
          'a proxy between has changed it'
      )
    }
  }
  return { kind: 'done', value: { bytes, digest } }
}
