import { messageOf } from '../../errors.ts'
import type { ModuleHash } from '../../module/hash.ts'
import { inOneLine } from '../../one-line.ts'
import { type Server, ServerFailure } from '../../spacetimedb/server.ts'
import { type History, readHistory } from '../ledger/history.ts'
import type { Ledger, LedgerAnswer, LedgerPlace, RecordedRelease } from '../ledger/ledger.ts'
import { isMeantToBeLive } from '../ledger/one-database.ts'

/** Where a module is promoted from. */
export type From = {
  readonly server: Server
  readonly database: string
  /** What is known of the releases there; none without a ledger. */
  readonly ledger: Ledger | undefined
  /** The only module that may be promoted; without it, whichever is live there. */
  readonly wanted: ModuleHash | undefined
  /** Whether a module may be promoted that is not known to have passed its checks there. */
  readonly allowUnchecked: boolean
}

/** The module to promote. */
export type Choice =
  | {
      readonly kind: 'chosen'
      readonly hash: ModuleHash
      /** Whether it runs there now, and not only has by the ledger. */
      readonly isLive: boolean
      /** The release that brought it there, as far as known. */
      readonly release?: RecordedRelease
      /** Why it is promoted although nothing says that it passed its checks. */
      readonly warning?: string
    }
  /** In whole sentences: why nothing is promoted, and what to do. */
  | { readonly kind: 'refused'; readonly reason: string; readonly hash?: ModuleHash }

/**
 * Chooses what is promoted: the module that is live where it comes from or, where nobody can say which is, the one of the
 * newest release that should be. Its newest release there must have passed its checks. Never throws.
 */
export async function chooseModule(from: From): Promise<Choice> {
  const { server, database, ledger, wanted } = from
  const history = ledger && readHistory(ledger, { server: server.url, database })
  const live = await askLive(from)
  const hash = wanted ?? live.hash ?? (await recordedHash(history))
  if (hash === undefined) return { kind: 'refused', reason: `${live.reason} ${history ? noRelease(from) : noLedger}` }
  const standing = await standingOf(hash, history)
  const isLive = live.hash === hash
  const isThere = isLive || standing.kind === 'passed' || standing.kind === 'unchecked'
  if (!isThere) {
    const now = live.hash === undefined ? live.reason : `Live there is ${live.hash}.`
    const why = `Module ${hash} does not run in ${nameOf(from)}. ${now} ${unproved(from, standing)}`
    return { kind: 'refused', hash, reason: why }
  }
  const release = 'release' in standing ? standing.release : undefined
  const known = { kind: 'chosen', hash, isLive, ...(release && { release }) } as const
  if (standing.kind === 'passed') return known
  const why = `Nothing says that module ${hash} passed its checks in ${nameOf(from)}. ${unproved(from, standing)}`
  if (!from.allowUnchecked) return { kind: 'refused', hash, reason: `${why} ${waysOut}` }
  return { ...known, warning: `${why} It is promoted all the same (\`allow-unchecked\`).` }
}

/** The one database that an environment has releases of. `reason`: why there is none, or which there are. */
export async function placeIn(
  ledger: Ledger
): Promise<
  { readonly kind: 'place'; readonly place: LedgerPlace } | { readonly kind: 'none'; readonly reason: string }
> {
  const answer = await ledger.places()
  const environment = inOneLine(ledger.environment, 100)
  if (answer.kind === 'failed') {
    return {
      kind: 'none',
      reason: `The releases of environment \`${environment}\` could not be read: ${answer.reason}`
    }
  }
  const [place, ...others] = answer.value
  if (place === undefined) {
    return { kind: 'none', reason: `The ledger has no release in environment \`${environment}\`.` }
  }
  if (others.length === 0) return { kind: 'place', place }
  const listed = answer.value.slice(0, 10).map(({ server, database }) => `"${database}" on ${server}`)
  const more = answer.value.length > listed.length ? ` and ${answer.value.length - listed.length} more` : ''
  return {
    kind: 'none',
    reason: `Environment \`${environment}\` has releases of several databases: ${listed.join(', ')}${more}.`
  }
}

/** As a sentence names it. */
export function nameOf({ database, server }: Pick<From, 'database' | 'server'>): string {
  return `"${database}" on ${server.url}`
}

async function askLive({ server, database }: From): Promise<{ readonly hash?: ModuleHash; readonly reason: string }> {
  try {
    return { hash: (await server.live(database)).hash, reason: '' }
  } catch (failure) {
    const isMissing = failure instanceof ServerFailure && failure.kind === 'missing'
    const reason = isMissing
      ? `There is no database ${nameOf({ server, database })}.`
      : `What ${nameOf({ server, database })} runs could not be found out: ${messageOf(failure)}`
    return { reason }
  }
}

async function recordedHash(history: History | undefined): Promise<ModuleHash | undefined> {
  if (history === undefined) return undefined
  for await (const answer of history.releases()) {
    if (answer.kind === 'failed') return undefined
    if (isMeantToBeLive(answer.value)) return answer.value.record.moduleHash as ModuleHash
  }
  return undefined
}

/** What the ledger says of a module in a place. */
type Standing =
  | { readonly kind: 'passed' | 'bad' | 'unchecked'; readonly release: RecordedRelease }
  | { readonly kind: 'no-release' | 'no-ledger' }
  | { readonly kind: 'unreadable'; readonly reason: string }

/** By its newest release that has ended; of those that ended well, one has to have been checked. */
async function standingOf(hash: ModuleHash, history: History | undefined): Promise<Standing> {
  if (history === undefined) return { kind: 'no-ledger' }
  let unchecked: RecordedRelease | undefined
  for await (const answer of history.releases(({ moduleHash }) => moduleHash === hash)) {
    if (answer.kind === 'failed') return unreadable(answer)
    const release = answer.value
    if (release.state === 'open' || release.state === 'unclear') continue
    if (release.state === 'bad') return unchecked ? { kind: 'unchecked', release: unchecked } : { kind: 'bad', release }
    if (release.isChecked) return { kind: 'passed', release }
    unchecked ??= release
  }
  return unchecked ? { kind: 'unchecked', release: unchecked } : { kind: 'no-release' }
}

function unreadable({ reason }: Extract<LedgerAnswer<never>, { kind: 'failed' }>): Standing {
  return { kind: 'unreadable', reason }
}

function unproved({ ledger }: From, standing: Exclude<Standing, { readonly kind: 'passed' }>): string {
  const environment = `\`${inOneLine(ledger?.environment ?? '', 100)}\``
  switch (standing.kind) {
    case 'passed':
      return ''
    case 'bad':
      return `Its newest release there, ${standing.release.id}, ended badly (${standing.release.result ?? 'failure'}).`
    case 'unchecked':
      return `Its release ${standing.release.id} there ended well, but nothing was checked: there was no health check and there were no checks.`
    case 'no-release':
      return `The ledger has no release of it in environment ${environment} that has ended: somebody may have published it by hand.`
    case 'no-ledger':
      return noLedger
    case 'unreadable':
      return `The releases of environment ${environment} could not be read: ${standing.reason}`
  }
}

const noLedger =
  'There is no ledger of releases to look into: it is read from GitHub, in a run of GitHub Actions, with `ledger: github` and a `github-token` that has `deployments: read`.'

function noRelease({ ledger }: From): string {
  return `And the ledger has no release of it in environment \`${inOneLine(ledger?.environment ?? '', 100)}\` that ended well.`
}

const waysOut =
  'Deploy it there with checks or a health check, or set `allow-unchecked: true` to promote it all the same.'
