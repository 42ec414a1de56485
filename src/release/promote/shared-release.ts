import type { LiveModule, Server } from '../../spacetimedb/server.ts'
import { isSuccess } from '../deployment.ts'
import { catchUpBefore, standingIn } from '../ledger/catch-up.ts'
import { readHistory } from '../ledger/history.ts'
import type { Ledger, LedgerAnswer, LedgerPlace, RecordedRelease, ReleasesOptions } from '../ledger/ledger.ts'
import { answerOf } from '../ledger/patience.ts'
import type { ReleaseRecord } from '../ledger/record.ts'
import type { DeployRequest } from '../work.ts'
import type { SharedBegun } from './end-shared.ts'
import type { NotBegun, Promoted } from './promotion.ts'
import { sideBySide } from './side-by-side.ts'

export type SharedReleaseOptions = {
  readonly ledger: Ledger
  readonly server: Server
  readonly request: Pick<DeployRequest, 'module' | 'notes' | 'onDrift'> & { readonly databases: readonly string[] }
  /** Told of each entry that is written down. */
  readonly onBegun: (begun: SharedBegun) => void
}

type Begun = { readonly id: number; readonly url?: string }

/** Some databases of a promotion, as many as one entry of the ledger has room for. */
type Part = {
  readonly databases: readonly string[]
  begun?: Promise<LedgerAnswer<Begun>>
}

/**
 * The release of one module to several databases as one entry in the ledger, or as few as there is room for. To each
 * deployment it looks as if the release were its own; the first that begins to change something writes it down for all,
 * and before it what is live, where nobody has.
 */
export class SharedRelease {
  readonly #options: SharedReleaseOptions
  readonly #parts: readonly Part[]
  readonly #ids = new Set<number>()
  readonly #adoptions = new Map<string, Begun>()
  readonly #replaced = new Set<number>()
  readonly #covered = new Set<number>()
  #caughtUp: Promise<void> | undefined
  #whyNotAdopted = 'the release of all databases has begun already, and this was not live there then'

  constructor(options: SharedReleaseOptions) {
    this.#options = options
    this.#parts = inParts(options.request.databases)
  }

  /** The ledger as the deployment to one of the databases is to see it. */
  ledgerFor(database: string): Ledger {
    const { ledger, request } = this.#options
    const part = this.#parts.find(({ databases }) => databases.includes(database))
    return {
      environment: ledger.environment,
      places: () => ledger.places(),
      releases: (place, options) => this.#releases(place, options),
      begin: async (record) => {
        if (part && record.moduleHash === request.module.hash) return this.#begin(part, record)
        await this.#catchUp()
        const adopted = this.#adoptions.get(adoptionKey(database, record.moduleHash))
        return adopted ? { kind: 'ok', value: adopted } : { kind: 'failed', reason: this.#whyNotAdopted }
      },
      end: async (id, ending) => (this.#ids.has(id) ? done : ledger.end(id, ending)),
      retire: async (id) => {
        this.#replaced.add(id)
        return done
      }
    }
  }

  /** Writes down which releases gave way to this one. */
  async retireReplaced(databases: readonly (Promoted | NotBegun)[]): Promise<void> {
    const isWhole = databases.every(({ result }) => result !== 'not-begun' && isSuccess(result))
    // Others may run the module of a release of several databases still.
    const ids = [...this.#replaced].filter((id) => isWhole || !this.#ids.has(id))
    const all = isWhole ? [...ids, ...this.#covered] : ids
    for (const id of all.slice(0, mostRetired)) await answerOf(() => this.#options.ledger.retire(id))
  }

  /** Notes releases of several databases that are all among these. */
  async *#releases(place: LedgerPlace, options?: ReleasesOptions): AsyncIterable<LedgerAnswer<RecordedRelease>> {
    const { ledger, request } = this.#options
    for await (const answer of ledger.releases(place, options)) {
      if (answer.kind === 'ok') {
        const { id, state, record } = answer.value
        const isCovered = record.databases?.every((each) => request.databases.includes(each)) === true
        if (isCovered && state === 'good' && !this.#ids.has(id)) this.#covered.add(id)
      }
      yield answer
    }
  }

  #begin(part: Part, record: ReleaseRecord): Promise<LedgerAnswer<Begun>> {
    part.begun ??= this.#beginFor(part, record)
    return part.begun
  }

  async #beginFor({ databases }: Part, record: ReleaseRecord): Promise<LedgerAnswer<Begun>> {
    const { ledger, request, onBegun } = this.#options
    await this.#catchUp()
    // What is known of one of them says nothing of the others.
    const { databaseIdentity: _, previousHash: _p, planDigest: _d, verdict: _v, reversible: _r, ...common } = record
    const action = request.notes?.action ?? 'promote'
    const shared = { ...common, action, database: databases[0] ?? record.database, databases }
    const begun = await ledger.begin(shared)
    if (begun.kind === 'ok') {
      this.#ids.add(begun.value.id)
      onBegun({ ...begun.value, record: shared })
    }
    return begun
  }

  /** Ids grow, and what was live before has to have a smaller one than this release: so it is written down first, for all. */
  #catchUp(): Promise<void> {
    this.#caughtUp ??= this.#adoptAll()
    return this.#caughtUp
  }

  async #adoptAll(): Promise<void> {
    const { server, request } = this.#options
    const unwritten = new Map<string, { readonly live: LiveModule; readonly databases: string[] }>()
    await sideBySide(request.databases, mostQuestions, async (database) => {
      const live = await this.#unwrittenIn(database)
      if (live === undefined) return
      const { databases } = unwritten.get(live.hash) ?? { databases: [] }
      unwritten.set(live.hash, { live, databases: [...databases, database] })
    })
    for (const { live, databases } of unwritten.values()) {
      for (const part of inParts(databases)) await this.#adopt(live, part.databases, server.url)
    }
  }

  /** What a database runs, when nothing of the ledger says so. */
  async #unwrittenIn(database: string): Promise<LiveModule | undefined> {
    const { ledger, server, request } = this.#options
    const live = await server.live(database).catch(() => undefined)
    if (live === undefined || live.hash === request.module.hash) return undefined
    const history = readHistory(ledger, { server: server.url, database })
    const standing = await answerOf(() => standingIn(history, live.hash))
    if (standing.kind === 'failed' || (standing.value.drift && request.onDrift === 'fail')) return undefined
    return catchUpBefore(standing.value).kind === 'adopt' ? live : undefined
  }

  async #adopt({ hash, kind }: LiveModule, databases: readonly string[], server: string): Promise<void> {
    const { ledger, request } = this.#options
    const { run, actor } = request.notes ?? {}
    const [database = ''] = databases
    const about = { version: 1, action: 'adopt', server, database, databases, run, actor } as const
    const begun = await answerOf(() => ledger.begin({ ...about, moduleHash: hash, moduleKind: kind }))
    if (begun.kind === 'failed') {
      this.#whyNotAdopted = begun.reason
      return
    }
    const { id } = begun.value
    this.#ids.add(id)
    for (const each of databases) this.#adoptions.set(adoptionKey(each, hash), begun.value)
    await answerOf(() => ledger.end(id, { result: 'unchanged', isChecked: false }))
  }
}

const done = { kind: 'ok', value: undefined } as const

/** At the same time, of the server and of GitHub. */
const mostQuestions = 8

/** GitHub takes some 80 writes a minute. */
const mostRetired = 20

function adoptionKey(database: string, hash: string): string {
  return `${database} ${hash}`
}

/** In bytes, of the names in one entry: the ledger takes 8,000 of all. */
const largestPart = 5_000

function inParts(databases: readonly string[]): Part[] {
  const parts: string[][] = []
  let size = Number.POSITIVE_INFINITY
  for (const database of databases) {
    size += database.length + 3
    if (size > largestPart) {
      parts.push([])
      size = database.length + 3
    }
    parts.at(-1)?.push(database)
  }
  return parts.map((part) => ({ databases: part }))
}
