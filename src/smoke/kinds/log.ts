import { inUnits } from '../../duration.ts'
import { inOneLine } from '../../one-line.ts'
import type { LogLine } from '../../spacetimedb/server.ts'
import type { Check } from '../check.ts'
import type { Finding } from '../check-report.ts'
import { LinesSince, type LineWatch, positionOf, readBack } from '../log-reading.ts'
import type { CheckPlace, LogMark, RunCheck } from '../place.ts'
import { ended, serverFor, withinTry } from './within-try.ts'

/** Reads the log from the mark to its end, as a stream: what is kept of it are the first lines that should not be there. */
export const runLog: RunCheck<'log'> = (check, place, attempt) => {
  const { database, since } = place
  const sinceWhen = sinceText(since) + rotationNote(place)
  let watch = new LogWatch(check.wanted.log)
  const begin = () => {
    watch = new LogWatch(check.wanted.log)
    return new LinesSince(positionOf(since), [watch])
  }
  return withinTry(
    place,
    attempt,
    async () => {
      await readBack(serverFor(check, place), database, begin, attempt.signal)
      return attempt.signal.aborted ? ended(place, attempt) : watch.finding(sinceWhen)
    },
    () => watch.findingSoFar(sinceWhen, inUnits(attempt.timeout))
  )
}

type Wanted = Check<'log'>['wanted']['log']

/** From the harmless to the worst; `Panic` is what a reducer leaves that panicked (docs/server-behaviour.md, "Logs"). */
const levels = ['trace', 'debug', 'info', 'warn', 'error', 'panic']

/** How many lines a finding shows. */
const mostLines = 3

/** What a check of the log finds in the lines that it is shown. */
export class LogWatch implements LineWatch {
  readonly #wanted: Wanted
  readonly #without: RegExp | undefined
  readonly #with: RegExp | undefined
  readonly #bad = new Offenders()
  readonly #matching = new Offenders()
  #lines = 0
  #isThere = false

  constructor(wanted: Wanted) {
    this.#wanted = wanted
    this.#without = wanted.without === undefined ? undefined : new RegExp(wanted.without, 'u')
    this.#with = wanted.with === undefined ? undefined : new RegExp(wanted.with, 'u')
  }

  see(line: LogLine): void {
    this.#lines++
    if (this.#wanted.below !== undefined && isAtLeast(line.level, this.#wanted.below)) this.#bad.add(line)
    if (this.#without?.test(line.message)) this.#matching.add(line)
    if (this.#with?.test(line.message)) this.#isThere = true
  }

  /** Of all lines, which are those of a time: `since the publish`. */
  finding(sinceWhen: string): Finding {
    const { with: wantedLine } = this.#wanted
    const offence = this.#offence(sinceWhen)
    if (offence !== undefined) return offence
    if (wantedLine !== undefined && !this.#isThere) {
      const actual = `none of ${linesText(this.#lines)} ${sinceWhen}`
      return { kind: 'failed', expected: `a line that matches /${wantedLine}/`, actual }
    }
    return { kind: 'passed', detail: `${linesText(this.#lines)} ${sinceWhen}` }
  }

  /** Of the lines that came within `time`, such as `10s`, and are not all; `undefined` where none came. */
  findingSoFar(sinceWhen: string, time: string): Finding | undefined {
    if (this.#lines === 0) return undefined
    const actual = `still reading after ${linesText(this.#lines)} ${sinceWhen}: give this check a longer \`timeout\``
    return this.#offence(sinceWhen) ?? { kind: 'failed', expected: `the end of the log within ${time}`, actual }
  }

  /** What is in a log stays there, so lines that should not be are final; one that is missing may still come. */
  #offence(sinceWhen: string): Finding | undefined {
    const { below, without } = this.#wanted
    if (this.#bad.count > 0) {
      const expected = below === 'panic' ? 'no line of level panic' : `no line of level ${below} or worse`
      return { kind: 'failed', expected, actual: this.#bad.text(this.#lines, sinceWhen), final: true }
    }
    if (this.#matching.count === 0) return undefined
    const actual = this.#matching.text(this.#lines, sinceWhen)
    return { kind: 'failed', expected: `no line that matches /${without}/`, actual, final: true }
  }
}

/** Lines that should not be there: how many, and the first of them. */
class Offenders {
  readonly #first: LogLine[] = []
  count = 0

  add(line: LogLine): void {
    this.count++
    if (this.#first.length < mostLines) this.#first.push(line)
  }

  text(lines: number, sinceWhen: string): string {
    const more = this.count - this.#first.length
    const shown = this.#first.map(lineText).join('; ') + (more === 0 ? '' : `; and ${more} more`)
    return `${this.count} of ${linesText(lines)} ${sinceWhen}: ${shown}`
  }
}

/** A level that a newer server may have counts as the worst: what is not known is not let through. */
function isAtLeast(level: string, least: string): boolean {
  const at = levels.indexOf(level.toLowerCase())
  return (at === -1 ? levels.length : at) >= levels.indexOf(least)
}

function lineText({ level, message, file, line }: LogLine): string {
  const place = file === undefined ? '' : ` (${file}${line === undefined ? '' : `:${line}`})`
  return `${level} ${JSON.stringify(inOneLine(message, 160))}${place}`
}

function linesText(count: number): string {
  return count === 1 ? '1 line' : `${count} lines`
}

function sinceText({ what }: LogMark): string {
  return what === 'publish' ? 'since the publish' : 'since the checks began'
}

/** A server begins a new log file each day, UTC, and shows the newest only (docs/server-behaviour.md, "Logs"). */
function rotationNote({ since, clock }: CheckPlace): string {
  const dayOf = (milliseconds: number) => Math.floor(milliseconds / 86_400_000)
  const isSameDay = since.after === 0n || dayOf(Number(since.after / 1000n)) >= dayOf(clock.now())
  return isSameDay ? '' : ' (from midnight UTC on: the server shows no older ones)'
}
