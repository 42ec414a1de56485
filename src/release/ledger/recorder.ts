import type { Journal } from '../../journal.ts'
import type { Module } from '../../module/module.ts'
import type { Checkpoint } from '../checkpoint.ts'
import type { Ending, Findings } from '../deployment.ts'
import type { DeployRequest, DeployTools } from '../work.ts'
import { type CatchUp, catchUpAfter, catchUpBefore, type Standing, standingIn } from './catch-up.ts'
import { endRelease } from './end-release.ts'
import { type History, liveRelease, readHistory } from './history.ts'
import type { Ledger, LedgerAnswer, LedgerEnding, LedgerPlace, RecordedRelease } from './ledger.ts'
import { answerOf, LedgerPatience } from './patience.ts'
import { adoptionOf, hasBeenChecked, recordOf, writtenEnding } from './record-of.ts'

/** The release that is to be written down. */
export type Subject = {
  readonly request: DeployRequest
  readonly tools: DeployTools
  readonly journal: Journal
  readonly findings: Findings
}

type Begun = { readonly id: number; readonly url?: string }

/**
 * Reads and writes the ledger for one release. Nothing of it throws, waits long or fails a release; what could not be
 * read or written is warned of once.
 */
export class Recorder {
  readonly #ledger: Ledger
  readonly #subject: Subject
  readonly #patience: LedgerPatience
  readonly #failures = new Map<keyof typeof failureTexts, string>()
  #history: History | undefined
  #standing: Standing | undefined
  /** Answers late at times, and the release goes on meanwhile. */
  #begun: Promise<LedgerAnswer<Begun>> | undefined
  /** The release whose place this one takes once it is live: the id of its record. */
  #replaces: number | undefined
  #checkpoint: Checkpoint | undefined
  #unwritten: LedgerEnding | undefined

  constructor(ledger: Ledger, subject: Subject) {
    this.#ledger = ledger
    this.#subject = subject
    this.#patience = new LedgerPatience(subject.tools.clock, subject.tools.cancelled)
  }

  /** Begins to read what was released before to the database, and does not wait for it. */
  lookUp(): void {
    // Who has found out what is live has read the ledger then, and others may have released since.
    const isFresh = this.#subject.request.foundLive !== undefined
    this.#history = readHistory(this.#ledger, this.#place, { isFresh })
    const newest = this.#history.releases()[Symbol.asyncIterator]()
    newest.next().catch(() => {})
  }

  /** What the ledger says of the module that is live; drift is kept in the findings. */
  async standingOf(live: string): Promise<LedgerAnswer<Standing>> {
    const history = this.#history
    if (history === undefined) return { kind: 'ok', value: {} }
    const answer = await this.#patience.waitUnlessCancelled(() => standingIn(history, live))
    if (answer.kind === 'failed') {
      this.#fail('read', answer.reason)
      return answer
    }
    this.#standing = answer.value
    if (answer.value.drift) this.#subject.findings.drift = answer.value.drift
    return answer
  }

  /** Writes down that the release begins. `previous` is what is live: that is written down too, where nobody has. */
  async begin(previous: Module | undefined): Promise<void> {
    await this.#subject.journal.step('Write the release down', async (step) => {
      if (this.#standing && previous) {
        this.#replaces = ofOneDatabase(this.#standing.release)
        await this.#catchUp(catchUpBefore(this.#standing), previous, false)
      }
      if (this.#subject.tools.cancelled.aborted) return step.fail('the job was cancelled')
      const begun = this.#startToBegin()
      const answer = await this.#patience.waitUnlessCancelled(() => begun)
      const { release } = this.#subject.findings
      if (release) step.detail(`release ${release.id} of ${this.#ledger.environment}`)
      else if (answer.kind === 'failed') {
        step.fail(answer.reason)
        this.#fail('begin', answer.reason)
      }
    })
  }

  #startToBegin(): Promise<LedgerAnswer<Begun>> {
    const { request, findings } = this.#subject
    const begun = answerOf(() => this.#ledger.begin(recordOf(request, findings)))
    this.#begun = begun
    void begun.then((answer) => {
      if (answer.kind === 'failed') return
      findings.release = answer.value
      this.#failures.delete('begin')
      this.#save()
    })
    return begun
  }

  /** Writes down how a release that was begun has ended. */
  async end(ending: Ending): Promise<void> {
    const begun = this.#begun
    if (begun === undefined) return
    const { request, findings, journal } = this.#subject
    const written = writtenEnding(ending, hasBeenChecked(findings, ending), request.notes?.action)
    this.#unwritten = written
    const isLive = ending.live.kind === 'new'
    // A publish that may land yet may take the place of the other one yet.
    if (!isLive && this.#checkpoint?.phase !== 'unsettled') this.#replaces = undefined
    this.#save()
    const answer = await this.#patience.wait(async () => {
      const release = await begun
      if (release.kind === 'failed') return release
      return endRelease(this.#ledger, release.value.id, written, isLive ? this.#replaces : undefined)
    })
    if (answer.kind === 'failed') {
      if (findings.release) this.#fail('end', answer.reason)
    } else {
      this.#unwritten = undefined
      this.#save()
      journal.tell(`Release ${findings.release?.id} is written down as ${written.result}.`)
    }
    this.#tellFailures()
  }

  /** Writes down what was live before this deploy, where nobody has, or where more is known of it now. */
  async confirm(ending: Ending): Promise<void> {
    if (this.#standing === undefined) return
    const { request, findings } = this.#subject
    const { release } = this.#standing
    if (release) findings.release = briefly(release)
    const written = writtenEnding(ending, hasBeenChecked(findings, ending), undefined)
    await this.#catchUp(catchUpAfter(this.#standing, written), request.module, true)
  }

  /** Who is said to have published a module that is live now, asked anew; `undefined` when that can't be found out. */
  async publisherOf(live: string): Promise<string | undefined> {
    const history = readHistory(this.#ledger, this.#place, { isFresh: true })
    const answer = await this.#patience.wait(() => liveRelease(history, live))
    if (answer.kind === 'failed') return undefined
    if (answer.value === undefined) return 'The ledger has no release of it.'
    const { id, by, record, url } = answer.value
    const run = record.run ?? url
    return `By the ledger it is release ${id}${by ? ` of ${by}` : ''}${run ? `: ${run}` : '.'}`
  }

  /** Saves what a deploy that is cut off needs to be finished, with what its ledger needs. */
  remember(checkpoint: Checkpoint): void {
    this.#checkpoint = checkpoint
    this.#save()
  }

  get #place(): LedgerPlace {
    const { server, database, databaseIdentity } = this.#subject.findings
    return { server, database, databaseIdentity }
  }

  #save(): void {
    if (this.#checkpoint === undefined) return
    const { tools, findings } = this.#subject
    tools.remember({
      ...this.#checkpoint,
      releaseId: this.#begun && findings.release?.id,
      replaces: this.#replaces,
      unwritten: this.#unwritten
    })
  }

  async #catchUp(catchUp: CatchUp, module: Module, isOurs: boolean): Promise<void> {
    if (catchUp.kind === 'nothing') return
    const { findings, journal } = this.#subject
    const answer = await this.#patience.waitUnlessCancelled(() =>
      catchUp.kind === 'end' ? this.#endLate(catchUp) : this.#adopt(module, isOurs, catchUp.ending)
    )
    if (answer.kind === 'failed') return this.#fail('catch up', answer.reason)
    if (isOurs) findings.release = answer.value
    const what =
      catchUp.kind === 'adopt' ? 'What was live before is written down as' : 'What became of it is written down for'
    journal.tell(`${what} release ${answer.value.id}.`)
  }

  async #endLate({ release, ending }: Extract<CatchUp, { kind: 'end' }>): Promise<LedgerAnswer<Begun>> {
    const before = ofOneDatabase(this.#standing?.before)
    const answer = await endRelease(this.#ledger, release.id, ending, before)
    return answer.kind === 'ok' ? { kind: 'ok', value: briefly(release) } : answer
  }

  async #adopt(module: Module, isOurs: boolean, ending: LedgerEnding): Promise<LedgerAnswer<Begun>> {
    const { request, findings } = this.#subject
    const adopted = await this.#ledger.begin(adoptionOf(module, { notes: request.notes, isOurs }, findings))
    if (adopted.kind === 'failed') return adopted
    this.#replaces = adopted.value.id
    const ended = await endRelease(this.#ledger, adopted.value.id, ending, ofOneDatabase(findings.drift?.expected))
    return ended.kind === 'ok' ? adopted : ended
  }

  #fail(what: keyof typeof failureTexts, reason: string): void {
    const { journal } = this.#subject
    const text = `${failureTexts[what]}: ${reason}`
    if (this.#failures.size === 0) journal.warn(text)
    else journal.tell(text)
    this.#failures.set(what, text)
    this.#tellFailures()
  }

  /** What had not been answered in time may have been carried out since. */
  #tellFailures(): void {
    const { findings } = this.#subject
    const [first] = this.#failures.values()
    if (first === undefined) delete findings.ledgerWarning
    else findings.ledgerWarning = first
  }
}

const failureTexts = {
  read: 'What was released before could not be read',
  'catch up': 'What was live before could not be written down',
  begin: 'The release could not be written down',
  end: 'How the release ended could not be written down'
} as const

/** Others may run the module of a release of several databases still. */
function ofOneDatabase(release: RecordedRelease | undefined): number | undefined {
  return release?.record.databases === undefined ? release?.id : undefined
}

function briefly({ id, url }: RecordedRelease): Begun {
  return { id, ...(url !== undefined && { url }) }
}
