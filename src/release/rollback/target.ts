import { ConfigurationError } from '../../errors.ts'
import type { Journal } from '../../journal.ts'
import type { ModuleHash } from '../../module/hash.ts'
import type { Identity } from '../../spacetimedb/identity.ts'
import { ServerFailure } from '../../spacetimedb/server.ts'
import { type History, liveRelease, readHistory } from '../ledger/history.ts'
import type { RecordedRelease } from '../ledger/ledger.ts'
import { isMeantToBeLive } from '../ledger/one-database.ts'
import { findTarget, type TargetSearch } from '../ledger/target.ts'
import { targetOf } from '../target.ts'
import type { RollbackWork } from './work.ts'

/** What is to be restored. */
export type Target = {
  readonly hash: ModuleHash
  /** The release of the ledger that it was; `undefined` for a module that is in none. */
  readonly release?: RecordedRelease
  /** The module that has to be live by the ledger, where nobody can read which is: still to be proved. */
  readonly presumedLive?: ModuleHash
}

export type Chosen = { readonly kind: 'target'; readonly target: Target } | NoTarget

/** `reason` is whole sentences: why, and what to give instead. */
export type NoTarget = { readonly kind: 'none'; readonly reason: string }

/**
 * Finds the database, what it runs, and what it is to run. Throws a `ConfigurationError` when the database is not there or
 * somebody else's, and the server's failures.
 */
export async function chooseTarget(work: RollbackWork): Promise<Chosen> {
  const identity = await findDatabase(work)
  return work.journal.step('Find the release', async (step) => {
    const chosen = await choose(work, identity)
    if (chosen.kind === 'none') step.fail('there is none to go back to')
    else step.detail(nameOf(chosen.target))
    return chosen
  })
}

/** A target as a sentence names it: `release 17 (commit 1a2b3c4d5e6f)`. */
export function nameOf({ hash, release }: Pick<Target, 'hash' | 'release'>): string {
  return release === undefined ? `module ${hash.slice(0, 12)}` : releaseName(release)
}

export function releaseName({ id, record: { ref, commit } }: RecordedRelease): string {
  const tag = /^refs\/tags\/(.+)$/.exec(ref ?? '')?.[1]
  const known = [
    ...(tag === undefined ? [] : [tag]),
    ...(commit === undefined ? [] : [`commit ${commit.slice(0, 12)}`])
  ]
  return known.length === 0 ? `release ${id}` : `release ${id} (${known.join(', ')})`
}

function findDatabase({ request, tools, journal, findings }: RollbackWork): Promise<Identity> {
  const { database } = request
  return journal.step('See what is live', async (step) => {
    const resolution = await tools.server.resolve(database)
    if (resolution.kind !== 'exists') {
      throw new ConfigurationError(
        `There is no database "${database}" on ${tools.server.url}, so there is nothing to go back from. Check the inputs ` +
          '`server` and `database`. To make it anew, use `deploy` with `create: true`.'
      )
    }
    targetOf(resolution, { ...request, create: false, server: tools.server.url, identity: tools.identity })
    findings.databaseIdentity = resolution.identity
    const live = await liveHash(tools.server.live(database))
    if (live !== undefined) findings.liveHash = live
    step.detail(live === undefined ? 'the live module lets nobody read it' : `module ${live.slice(0, 12)}`)
    return resolution.identity
  })
}

/** `undefined` where the live module lets nobody in. */
async function liveHash(asking: Promise<{ readonly hash: ModuleHash }>): Promise<ModuleHash | undefined> {
  try {
    return (await asking).hash
  } catch (failure) {
    if (failure instanceof ServerFailure && failure.kind === 'forbidden') return undefined
    throw failure
  }
}

async function choose({ request, tools, journal, findings }: RollbackWork, identity: Identity): Promise<Chosen> {
  const { database, goal } = request
  const { liveHash } = findings
  const place = { server: tools.server.url, database, databaseIdentity: identity }
  const history = tools.ledger && readHistory(tools.ledger, place)
  const live = history && liveHash ? await liveRelease(history, liveHash) : undefined
  if (live?.kind === 'ok' && live.value) findings.liveRelease = live.value
  // A ledger that did not answer is not asked for more.
  const failure = live?.kind === 'failed' ? live : undefined
  findings.isLedgerRead = live?.kind === 'ok'
  if (goal.kind === 'module') {
    const { hash } = goal.module
    const release = history && !failure ? await releaseOf(history, hash, liveHash) : undefined
    return { kind: 'target', target: { hash, ...(release && { release }) } }
  }
  if (history === undefined) return withoutLedger(goal.to)
  return chosenBy(failure ? { search: failure } : await searchFor(history, goal.to, liveHash), goal.to, journal)
}

function withoutLedger(to: string): Chosen {
  const hash = asHash(to)
  return hash ? { kind: 'target', target: { hash } } : { kind: 'none', reason: noLedger(to) }
}

function chosenBy({ search, presumed }: Searched, to: string, journal: Journal): Chosen {
  if (search.kind === 'found') {
    const { release } = search
    const presumedLive = presumed && { presumedLive: presumed.record.moduleHash as ModuleHash }
    return { kind: 'target', target: { hash: release.record.moduleHash as ModuleHash, release, ...presumedLive } }
  }
  const hash = asHash(to)
  if (hash === undefined || search.kind === 'ambiguous') return { kind: 'none', reason: whyNone(search, to) }
  // The hash alone says what is meant: the ledger is only needed to know more of it.
  if (search.kind === 'failed') journal.warn(`The ledger could not be read: ${search.reason}`)
  return { kind: 'target', target: { hash } }
}

function asHash(to: string): ModuleHash | undefined {
  return /^[0-9a-f]{64}$/i.test(to) ? (to.toLowerCase() as ModuleHash) : undefined
}

/** Best effort: what is to be restored is known without. */
async function releaseOf(
  history: History,
  hash: ModuleHash,
  live: ModuleHash | undefined
): Promise<RecordedRelease | undefined> {
  const search = await findTarget(history, hash, live)
  return search.kind === 'found' ? search.release : undefined
}

type Searched = { readonly search: TargetSearch; readonly presumed?: RecordedRelease }

/** Where nobody can read what is live, the previous one is that before the one which should be. */
async function searchFor(history: History, to: string, live: ModuleHash | undefined): Promise<Searched> {
  if (to !== 'previous' || live !== undefined) return { search: await findTarget(history, to, live) }
  for await (const answer of history.releases()) {
    if (answer.kind === 'failed') return { search: answer }
    if (!isMeantToBeLive(answer.value)) continue
    return { search: await findTarget(history, to, answer.value.record.moduleHash), presumed: answer.value }
  }
  return { search: await findTarget(history, to, undefined) }
}

function whyNone(search: Exclude<TargetSearch, { kind: 'found' }>, to: string): string {
  if (search.kind === 'none') return `${search.reason} Is \`environment\` the one of the deploys? ${instead}`
  if (search.kind === 'ambiguous') return `${search.reason} ${instead}`
  return `Which release ${to === 'previous' ? 'was the previous one' : `\`${to}\` is`} could not be found out. ${search.reason} ${instead}`
}

function noLedger(to: string): string {
  const wanted = to === 'previous' ? '`to: previous`' : `\`to: ${to}\``
  return (
    `${wanted} needs the ledger of releases, and there is none here: it is read from GitHub, in a run of GitHub Actions, with ` +
    `\`ledger: github\` and a \`github-token\` that has \`deployments: read\`. ${instead}`
  )
}

const instead =
  'Or say which module it is: `to` with its hash (64 hex digits; the summary of each deploy has it), or `module` with the file.'
