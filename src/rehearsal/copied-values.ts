import type { Schema } from '../module/schema.ts'
import { shownForms } from './shown-forms.ts'
import type { WritableKind } from './sql-values.ts'

/** What was read of production's rows, so that no text of a server, a module or a check shows it. */
export type CopiedValues = {
  /** A value as an answer to SQL has it, and the kind of its column. */
  add(value: unknown, kind: WritableKind): void
  /** The text without the values, and without their beginnings where they are cut off by `…`. */
  hide(text: string): string
}

/** Values, and beginnings of them, that are shorter say little of anybody, and are parts of everything. */
const shortest = 4

/** Nothing is hidden that the schema says: the names of tables, columns and functions are no secrets of the rows. */
export function copiedValues(schema: Schema): CopiedValues {
  /** By their first characters. */
  const known = new Map<string, Set<string>>()
  const open = namesIn(schema)
  return {
    add: (value, kind) => {
      for (const form of shownForms(value, kind)) {
        const text = flattened(form).text.trim()
        if (text.length >= shortest && !open.has(text)) remember(known, text)
      }
    },
    hide: (text) => (known.size === 0 ? text : withoutValues(text, known))
  }
}

type Known = ReadonlyMap<string, ReadonlySet<string>>

function remember(known: Map<string, Set<string>>, text: string): void {
  const head = text.slice(0, shortest)
  const alike = known.get(head)
  if (alike === undefined) known.set(head, new Set([text]))
  else alike.add(text)
}

function withoutValues(text: string, known: Known): string {
  const flat = flattened(text)
  const parts: string[] = []
  let shownFrom = 0
  let hiddenUpTo = 0
  for (let at = 0; at < flat.text.length; at++) {
    const end = at + longestAt(flat.text, at, known)
    if (end <= Math.max(at, hiddenUpTo)) continue
    // Values that overlap are one gap.
    if (at >= hiddenUpTo) parts.push(text.slice(shownFrom, flat.starts[at]), '***')
    hiddenUpTo = end
    shownFrom = flat.starts[end] ?? text.length
  }
  return parts.join('') + text.slice(shownFrom)
}

/** How many characters of a value are there: all of one, or the beginning of one that is cut off. */
function longestAt(text: string, at: number, known: Known): number {
  const alike = known.get(text.slice(at, at + shortest))
  if (alike === undefined) return 0
  const cut = text.indexOf('…', at)
  const beginning = cut < 0 ? '' : text.slice(at, cut)
  // Half of a character may be left of one that is cut, written out in JSON.
  const whole = beginning.replace(/\\ud[89ab][0-9a-f]{2}$/i, '')
  let longest = 0
  for (const value of alike) {
    if (text.startsWith(value, at)) longest = Math.max(longest, value.length)
    else if (whole.length >= shortest && value.startsWith(whole)) longest = Math.max(longest, beginning.length)
  }
  return longest
}

/** A text with each stretch of white space as one blank, as messages have it in one line, and where its characters were. */
function flattened(text: string): { readonly text: string; readonly starts: readonly number[] } {
  const starts: number[] = []
  let flat = ''
  for (const { 0: piece, index } of text.matchAll(/\s+|\S/g)) {
    flat += piece.trim() === '' ? ' ' : piece
    starts.push(index)
  }
  return { text: flat, starts }
}

function namesIn({ tables, reducers, procedures, views }: Schema): ReadonlySet<string> {
  const columns = tables.flatMap((table) => table.columns)
  return new Set([...tables, ...columns, ...reducers, ...procedures, ...views].map(({ name }) => name))
}
