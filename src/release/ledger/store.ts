import { inOneLine } from '../../one-line.ts'
import {
  type DeploymentsAnswer,
  type DeploymentsApi,
  type KeptDeployment,
  type KeptDeployments,
  type KeptStatus,
  keptDeployments,
  type StatusState
} from './deployments.ts'
import { endingText, readEnding } from './ending-text.ts'
import type { Ledger, LedgerAnswer, LedgerEnding, LedgerPlace, RecordedRelease, ReleasesOptions } from './ledger.ts'
import { type EndingThere, endedWell, endingAt, placesOf, positionIn } from './one-database.ts'
import { type ReleaseRecord, releaseRecordSchema } from './record.ts'

export type DeploymentsLedgerOptions = {
  readonly deployments: DeploymentsApi
  readonly environment: string
  /** The commit that this run is for: what a release stands on when GitHub doesn't know its own commit. */
  readonly commit?: string | undefined
  /** The page of this run. */
  readonly run?: string | undefined
  /** Whether the environment goes away again. */
  readonly isTransient?: boolean | undefined
}

/** A ledger in the deployments of a repository. What was read is kept until it is asked for afresh, or written to. */
export function deploymentsLedger(options: DeploymentsLedgerOptions): Ledger {
  const { deployments, environment, run } = options
  const kept = keptDeployments(deployments, environment)
  const log = run === undefined ? {} : { logUrl: run }
  return {
    environment,
    releases: (place, how) => releasesIn(kept, place, how),
    places: () => placesIn(kept),
    begin: async (record) => {
      kept.forget()
      const made = await create(options, record)
      if (made.kind !== 'ok') return failed(made)
      const { id } = made.value
      // Without it the release is open all the same.
      await deployments.addStatus(id, { state: 'in_progress', ...log, ...pageOf(record) })
      return { kind: 'ok', value: { id, ...(record.run && { url: record.run }) } }
    },
    end: async (id, ending) => {
      const record = await recordOf(kept, id)
      if (record.kind === 'failed') return record
      kept.forget(id)
      const status = { state: stateFor(record.value, ending), description: endingText(ending) }
      return plain(await deployments.addStatus(id, { ...status, ...log, ...pageOf(record.value) }))
    },
    retire: async (id) => {
      if (await kept.isInactive(id)) return { kind: 'ok', value: undefined }
      kept.forget(id)
      return plain(await deployments.addStatus(id, { state: 'inactive', ...log }))
    }
  }
}

async function* releasesIn(
  kept: KeptDeployments,
  place: LedgerPlace,
  { isFresh = false, which = () => true }: ReleasesOptions = {}
): AsyncGenerator<LedgerAnswer<RecordedRelease>> {
  if (isFresh) kept.forget()
  for await (const page of kept.pages()) {
    if (page.kind !== 'ok') return yield failed(page)
    for (const deployment of page.value) {
      const record = recordIn(deployment)
      const position = record && positionIn(record, place)
      if (record === undefined || position === undefined || !which(record, deployment.id)) continue
      const statuses = await kept.statuses(deployment.id)
      if (statuses.kind !== 'ok') return yield failed(statuses)
      yield { kind: 'ok', value: released(deployment, record, statuses.value, position) }
    }
  }
}

/** In the newest page: what a whole page has no release of is not what an environment is for. */
async function placesIn(kept: KeptDeployments): Promise<LedgerAnswer<readonly LedgerPlace[]>> {
  for await (const page of kept.pages()) {
    if (page.kind !== 'ok') return failed(page)
    return { kind: 'ok', value: placesOf(page.value.flatMap((deployment) => recordIn(deployment) ?? [])) }
  }
  return { kind: 'ok', value: [] }
}

/** Anything may be in a deployment of our task. */
function recordIn({ payload }: KeptDeployment): ReleaseRecord | undefined {
  return releaseRecordSchema.safeParse(payload).data
}

async function recordOf(kept: KeptDeployments, id: number): Promise<LedgerAnswer<ReleaseRecord>> {
  const deployment = await kept.deployment(id)
  if (deployment.kind !== 'ok') return failed(deployment)
  const record = recordIn(deployment.value)
  return record ? { kind: 'ok', value: record } : { kind: 'failed', reason: `The deployment ${id} is of another tool.` }
}

function released(
  { id, created, creator }: KeptDeployment,
  record: ReleaseRecord,
  statuses: readonly KeptStatus[],
  position: number
): RecordedRelease {
  const known = { id, record, begun: created, ...(creator && { by: creator }), ...(record.run && { url: record.run }) }
  // What comes after says nothing of it: `inactive` when another took its place, a start whose answer was lost.
  const last = statuses.find(({ state }) => endStates.has(state))
  if (last === undefined) return { ...known, state: 'open', isChecked: false }
  const { isChecked, ...ended } = endOf(record, last, position)
  return { ...known, ended: last.created, isChecked, ...ended }
}

const endStates: ReadonlySet<string> = new Set(['success', 'failure', 'error'])

/** A description counts when it goes with the state: anybody may add a status of another kind. */
function endOf(record: ReleaseRecord, { state, description }: KeptStatus, position: number) {
  const ending = readEnding(description)
  if (ending && stateFor(record, ending) === state) {
    return { ...endingAt(record, ending, position), isChecked: ending.isChecked }
  }
  return { ...endingWithoutWords(record, state), isChecked: false }
}

function endingWithoutWords({ databases }: ReleaseRecord, state: string): EndingThere {
  if (state === 'success') return { state: 'good' }
  if (databases) return { state: 'unclear' }
  return state === 'error' ? { state: 'bad', result: 'unknown' } : { state: 'bad' }
}

function stateFor({ action }: ReleaseRecord, { result }: Pick<LedgerEnding, 'result'>): StatusState {
  if (endedWell(action, result)) return 'success'
  return result === 'unknown' ? 'error' : 'failure'
}

/** A release is of a commit; where GitHub doesn't know that one, it stands on the one that this run is for. */
async function create(
  { deployments, environment, commit, isTransient = false }: DeploymentsLedgerOptions,
  record: ReleaseRecord
): Promise<DeploymentsAnswer<KeptDeployment>> {
  const ref = record.commit ?? commit
  if (ref === undefined) return noCommit
  const request = { environment, description: titleOf(record), payload: withinLimit(record), isTransient }
  const made = await deployments.create({ ...request, ref })
  const isUnknown = made.kind === 'unexpected' && made.status === 422
  return isUnknown && commit !== undefined && commit !== ref ? deployments.create({ ...request, ref: commit }) : made
}

const noCommit: DeploymentsAnswer<never> = {
  kind: 'unexpected',
  reason: 'GitHub keeps a deployment for a commit, and it is not known which one this release is of.'
}

/** In the list of deployments. */
function titleOf({ action, database, databases, moduleHash }: ReleaseRecord): string {
  const more = databases && databases.length > 1 ? ` and ${databases.length - 1} more` : ''
  return inOneLine(`${action} ${moduleHash.slice(0, 12)} to ${inOneLine(database, 80)}${more}`, 140)
}

/** In bytes. GitHub doesn't say how much it takes. */
const largestRecord = 8000

/** Of a record that is too large the reason is cut: all else is needed. */
function withinLimit(record: ReleaseRecord): ReleaseRecord {
  const excess = bytesOf(record) - largestRecord
  if (record.reason === undefined || excess <= 0) return record
  let room = bytesOf(record.reason) - excess - bytesOf('…')
  const characters: string[] = []
  for (const character of record.reason) {
    room -= bytesOf(character) - bytesOf('')
    if (room < 0) break
    characters.push(character)
  }
  return { ...record, reason: `${characters.join('')}…` }
}

function bytesOf(value: object | string): number {
  return Buffer.byteLength(JSON.stringify(value))
}

/** What the server tells of the database. */
function pageOf({ server, database }: ReleaseRecord) {
  return { environmentUrl: `${server}/v1/database/${database}` }
}

function plain(answer: DeploymentsAnswer<undefined>): LedgerAnswer<undefined> {
  return answer.kind === 'ok' ? answer : failed(answer)
}

function failed({ kind, reason }: Exclude<DeploymentsAnswer<never>, { kind: 'ok' }>) {
  const isForbidden = kind === 'forbidden' || kind === 'not-found'
  return { kind: 'failed', reason, ...(isForbidden && { isForbidden }) } as const
}
