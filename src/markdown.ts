import { markdownTable } from 'markdown-table'

/**
 * Text from outside (names, plans, logs) as GitHub-flavoured Markdown that shows it and nothing else: no markup, no
 * HTML, no mention. One line.
 */
export function escapeMarkdown(text: string): string {
  return oneLine(text)
    .replace(/[\\`*_~[\]()<>!&$]/g, (character) => `\\${character}`)
    .replace(/[@#](?=\w)/g, (sign) => `${sign}${wordJoiner}`)
    .replace(/(?<=^|\s)(\d+)([.)])/g, '$1\\$2')
    .replace(/^([-+=#])/, '\\$1')
    .replace(/\b(https?|ftp|mailto):(?=\S)/gi, `$1${wordJoiner}:`)
}

/** Text from outside as a code span, in one line. */
export function code(text: string): string {
  const line = oneLine(text) || ' '
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length))
  if (longest === 0) return `\`${line}\``
  const fence = '`'.repeat(longest + 1)
  return `${fence} ${line} ${fence}`
}

/** Text from outside as a quotation, its lines kept. */
export function quote(text: string): string {
  const lines = text.trim().split(/\r?\n/)
  return lines.map((line) => `> ${escapeMarkdown(line)}`).join('  \n')
}

/** Text from outside as a block of code, of a language that GitHub colours. */
export function codeBlock(text: string, language: 'text' | 'diff' = 'text'): string {
  const longest = Math.max(2, ...(text.match(/`{3,}/g) ?? []).map((run) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${text.replace(/\s+$/, '')}\n${fence}`
}

/** A table of cells that are Markdown already; `align` as in `markdown-table`. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  align?: readonly string[]
): string {
  const cells = [head, ...rows].map((row) => row.map(inCell))
  return markdownTable(cells, { align: align ? [...align] : undefined, padding: true, alignDelimiters: false })
}

/** Markdown of the parts that are there, with an empty line between. */
export function sections(parts: readonly (string | false | undefined)[]): string {
  return parts.filter((part) => part).join('\n\n')
}

/** A backslash of the text's own before a bar would undo what keeps the bar in its cell. */
function inCell(markdown: string): string {
  return markdown.replace(/(?<!\\)((?:\\\\)*\\)(?=\|)/g, `$1${wordJoiner}`).replaceAll('|', '\\|')
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** Has no width and parts no word, but ends what GitHub takes for a mention or a link. */
const wordJoiner = '\u2060'
