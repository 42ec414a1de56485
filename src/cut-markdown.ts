export type MarkdownRoom = {
  /** The size that the result must not exceed; nothing is left of a text when not even the note fits. */
  readonly limit: number
  /** The size of a text, in whatever the limit counts. That of two texts one after the other is the sum of theirs. */
  readonly sizeOf: (text: string) => number
  /** Markdown that stands at the end when something was cut. */
  readonly note: string
}

/**
 * A Markdown text that fits, its last line ended. What is cut are whole lines at the end. Blocks of code and
 * `<details>` that are open where it is cut are closed; a diagram is shown whole or not at all.
 */
export function cutMarkdown(markdown: string, { limit, sizeOf, note }: MarkdownRoom): string {
  const whole = markdown.endsWith('\n') ? markdown : `${markdown}\n`
  if (sizeOf(whole) <= limit) return whole
  const room = limit - sizeOf(`\n${note}\n`)
  if (room < 0) return ''
  return `${longestBeginning(whole.split(/(?<=\n)/), room, sizeOf)}\n${note}\n`
}

function longestBeginning(lines: readonly string[], room: number, sizeOf: (text: string) => number): string {
  let open: OpenBlocks = { details: 0 }
  let used = 0
  let longest = { lines: 0, closing: '' }
  for (const [index, line] of lines.entries()) {
    open = blocksAfter(open, line)
    used += sizeOf(line)
    if (used > room) break
    const closing = closingOf(open)
    if (open.fence?.isDiagram || used + sizeOf(closing) > room) continue
    longest = { lines: index + 1, closing }
  }
  return lines.slice(0, longest.lines).join('') + longest.closing
}

/** What is open at the end of a line: a block of code with its fence, and so many `<details>`. */
type OpenBlocks = {
  readonly fence?: { readonly marks: string; readonly isDiagram: boolean }
  readonly details: number
}

function blocksAfter({ fence, details }: OpenBlocks, line: string): OpenBlocks {
  const [, marks = '', rest = ''] = /^\s*(`{3,}|~{3,})(.*)$/s.exec(line) ?? []
  if (fence) {
    const isEnd = marks.startsWith(fence.marks) && rest.trim() === ''
    return isEnd ? { details } : { fence, details }
  }
  if (marks !== '' && !(marks.startsWith('`') && rest.includes('`'))) {
    return { fence: { marks, isDiagram: rest.trim() === 'mermaid' }, details }
  }
  return { details: Math.max(0, details + detailsOpenedIn(line)) }
}

/** Escaped ones and those in code are text. */
function detailsOpenedIn(line: string): number {
  const markup = line.replace(/\\./g, '').replace(/(`+)[^`]+\1/g, '')
  return [...markup.matchAll(/<(\/?)details\b/gi)].reduce((count, [, slash]) => count + (slash ? -1 : 1), 0)
}

function closingOf({ fence, details }: OpenBlocks): string {
  return `${fence ? `${fence.marks}\n` : ''}${'\n</details>\n'.repeat(details)}`
}
