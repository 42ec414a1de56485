import { inOneLine } from '../../one-line.ts'
import { type Result, results } from '../deployment.ts'
import type { LedgerEnding } from './ledger.ts'

/** What GitHub takes as the description of a status: https://docs.github.com/rest/deployments/statuses. */
const room = 140

/** An ending as it was read back. */
export type ReadEnding = Omit<LedgerEnding, 'note'> & {
  /** Some of several databases don't run the module, and there was no room to say which. */
  readonly isWithoutSome: boolean
}

/**
 * An ending in at most 140 characters, for people and to be read back:
 * `<result>[, checked][, without none | some | 3 7-9][: note]`. The positions of databases count from 0.
 */
export function endingText({ result, isChecked, without, note }: LedgerEnding): string {
  const start = isChecked ? `${result}, checked` : result
  const head = without === undefined ? start : withPositions(start, without)
  const left = room - head.length - 2
  const said = note === undefined || left < 1 ? '' : inOneLine(note, left)
  return said === '' ? head : `${head}: ${said}`
}

function withPositions(start: string, without: readonly number[]): string {
  const whole = `${start}, without ${without.length === 0 ? 'none' : rangesOf(without).join(' ')}`
  return whole.length <= room ? whole : `${start}, without some`
}

/** `3`, `7-9` */
function rangesOf(positions: readonly number[]): readonly string[] {
  const ranges: { first: number; last: number }[] = []
  for (const position of [...new Set(positions)].sort((a, b) => a - b)) {
    const range = ranges.at(-1)
    if (range?.last === position - 1) range.last = position
    else ranges.push({ first: position, last: position })
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
}

const form =
  /^([a-z-]+)(, checked)?(?:, without (none|some|\d{1,5}(?:-\d{1,5})?(?: \d{1,5}(?:-\d{1,5})?)*))?(?:: .*)?$/s

/** What `endingText` has written; `undefined` for every other text. */
export function readEnding(text: string): ReadEnding | undefined {
  const [, word, checked, without] = text.length > room ? [] : (form.exec(text) ?? [])
  const result = results.find((each): each is Result => each === word)
  if (result === undefined) return undefined
  const ending = { result, isChecked: checked !== undefined, isWithoutSome: without === 'some' }
  return without === undefined || without === 'some' ? ending : { ...ending, without: positionsIn(without) }
}

function positionsIn(text: string): readonly number[] {
  if (text === 'none') return []
  return text.split(' ').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
  })
}
