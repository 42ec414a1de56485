/** A source file in two forms, both as long as the file and with the same lines. */
export type SourceText = {
  /** Without comments: they are blank. */
  readonly text: string
  /** Without what is in strings either; their quotes are there. */
  readonly code: string
  /** Of each bracket that opens in the code, the offset after the one that closes it. */
  readonly ends: ReadonlyMap<number, number>
}

/**
 * Blanks comments and strings, which `tokens` finds, and C++'s definitions of macros, which are as good as comments. A file that uses them in a way that the pattern does not know comes
 * out with other parts blank, and declarations are not found.
 */
export function sourceText(content: string, tokens: RegExp): SourceText {
  const text = content.replace(tokens, (token) => (isComment(token) ? blank(token) : token))
  const code = content.replace(tokens, (token) => (isComment(token) ? blank(token) : emptied(token)))
  return { text, code, ends: endsOfBrackets(code) }
}

function isComment(token: string): boolean {
  return token.startsWith('//') || token.startsWith('/*') || token.startsWith('#')
}

function emptied(literal: string): string {
  return literal.length < 2 ? literal : `${literal[0]}${blank(literal.slice(1, -1))}${literal.at(-1)}`
}

function blank(text: string): string {
  return text.replace(/[^\r\n]/g, ' ')
}

/** Which kind of bracket it is does not matter: in a source that compiles they fit. */
function endsOfBrackets(code: string): ReadonlyMap<number, number> {
  const ends = new Map<number, number>()
  const open: number[] = []
  for (const { 0: bracket, index } of code.matchAll(/[([{}\])]/g)) {
    if (opening.includes(bracket)) open.push(index)
    else {
      const start = open.pop()
      if (start !== undefined) ends.set(start, index + 1)
    }
  }
  return ends
}

/** The matches of a pattern, up to a number that no file of a person's has. */
export function matchesOf(pattern: RegExp, code: string): RegExpExecArray[] {
  const matches: RegExpExecArray[] = []
  for (const match of code.matchAll(pattern)) {
    if (matches.length === mostMatches) break
    matches.push(match)
  }
  return matches
}

/** A part of the code that keeps its length, with everything blank that is within brackets of its own. */
function topLevel(code: string): string {
  let depth = 0
  return code.replace(/[^\r\n]/g, (character) => {
    if (closing.includes(character)) depth -= 1
    const shown = depth <= 0 ? character : ' '
    if (opening.includes(character)) depth += 1
    return shown
  })
}

/** What is between brackets: its offset, and the code of it at the top level. */
export type Inside = { readonly from: number; readonly to: number; readonly flat: string }

/** What is in the brackets that open at an offset; `undefined` when none does, or none closes them soon. */
export function insideOf({ code, ends }: SourceText, open: number): Inside | undefined {
  const end = ends.get(open)
  if (end === undefined || end - open > longestBrackets) return undefined
  return { from: open + 1, to: end - 1, flat: topLevel(code.slice(open + 1, end - 1)) }
}

/** The parts that commas divide, with their offsets and blanks around them removed. */
export function partsOf(
  { text }: SourceText,
  { from, flat }: Inside
): { readonly from: number; readonly text: string }[] {
  const parts = [...flat.matchAll(/[^,]+/g)].filter(([part]) => part.trim() !== '')
  return parts.map(({ 0: part, index }) => {
    const start = from + index + (part.length - part.trimStart().length)
    return { from: start, text: text.slice(start, from + index + part.length).trim() }
  })
}

/** The text in a pair of quotes at an offset, as it is written; `undefined` when there is none, or it has escapes. */
export function stringAt({ text }: SourceText, at: number): string | undefined {
  const [, , content] = at < 0 ? [] : (matchAt(/(["'`])([^"'`\\\r\n]*)\1/y, text, at) ?? [])
  return content
}

/** What a sticky pattern finds at an offset. */
export function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

/** The source of a pattern for a name, which is its only group. */
export const identifier = String.raw`([\p{L}_$][\p{L}\p{N}_$]*)`

const opening = '([{'
const closing = ')]}'

/** Characters of the longest struct, list of arguments or attribute that is looked at. */
const longestBrackets = 20_000

const mostMatches = 4_000
