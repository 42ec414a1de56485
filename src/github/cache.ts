import { messageOf } from '../errors.ts'
import { within } from './within.ts'

/** What is kept from run to run. It only saves time: nothing here throws, and nobody fails for it. */
export type Cache = {
  /**
   * Brings back what was saved for the same paths by `key`, else by the newest key that begins with one of
   * `restoreKeys`. `paths` are absolute, without wildcards, and the same as when it was saved.
   */
  restore(paths: readonly string[], key: string, restoreKeys?: readonly string[]): Promise<Restored>
  /** Keeps what is at `paths`, for good: what is there by a key already is never replaced. */
  save(paths: readonly string[], key: string): Promise<Saved>
}

export type Restored =
  /** `key` is the one that was found, `exact` whether it is the one that was asked for. */
  | { readonly kind: 'hit'; readonly key: string; readonly exact: boolean }
  | { readonly kind: 'miss' }
  /** There is no cache where this runs. */
  | { readonly kind: 'unavailable' }
  /** Files may have been restored in part. */
  | { readonly kind: 'failed'; readonly reason: string }

export type Saved =
  | { readonly kind: 'saved' }
  | { readonly kind: 'there-already' }
  | { readonly kind: 'not-saved'; readonly reason: string }

export type CacheOptions = {
  /** In milliseconds, for each restore and each save as a whole; 10 minutes without it. */
  readonly timeout?: number
}

/**
 * GitHub's cache of this repository (https://docs.github.com/actions/reference/workflows-and-actions/dependency-caching).
 * The client says in the step's log itself what went wrong.
 */
export function gitHubCache({ timeout = 10 * 60_000 }: CacheOptions = {}): Cache {
  return {
    restore: (paths, key, restoreKeys = []) =>
      within(timeout, restore([...paths], key, [...restoreKeys])).catch((error) => ({
        kind: 'failed',
        reason: messageOf(error)
      })),
    save: (paths, key) =>
      within(timeout, save([...paths], key)).catch((error) => ({ kind: 'not-saved', reason: messageOf(error) }))
  }
}

/** Milliseconds in which a part of an archive has to come. The client's own default is an hour. */
const segmentTimeoutInMs = 120_000

async function restore(paths: string[], key: string, restoreKeys: string[]): Promise<Restored> {
  const client = await import('@actions/cache')
  if (!client.isFeatureAvailable()) return { kind: 'unavailable' }
  const found = await client.restoreCache(paths, key, restoreKeys, { lookupOnly: true })
  if (found === undefined) return { kind: 'miss' }
  const restored = await client.restoreCache(paths, key, restoreKeys, { segmentTimeoutInMs })
  if (restored !== undefined) return { kind: 'hit', key: restored, exact: restored === key }
  return { kind: 'failed', reason: `${found} is there, but could not be downloaded and unpacked` }
}

async function save(paths: string[], key: string): Promise<Saved> {
  const client = await import('@actions/cache')
  if (!client.isFeatureAvailable()) return { kind: 'not-saved', reason: 'there is no cache where this runs' }
  if ((await client.saveCache(paths, key)) !== -1) return { kind: 'saved' }
  const there = await client.restoreCache(paths, key, [], { lookupOnly: true })
  return there === key
    ? { kind: 'there-already' }
    : { kind: 'not-saved', reason: 'the cache did not take it; a run of a fork or a bot may only read' }
}
