import { styleText } from 'node:util'

/** Makes text stand out, or leaves it as it is where there are no colours. */
export type Paint = (style: 'bold' | 'dim' | 'cyan' | 'red' | 'green' | 'yellow' | 'magenta', text: string) => string

export const plain: Paint = (_, text) => text

export const coloured: Paint = (style, text) => styleText(style, text)

/**
 * Lays a job summary (GitHub's Markdown, as far as summaries use it) out for a terminal of so many columns: headings,
 * tables, lists, quotes and alerts, code, collapsed details (opened), emphasis and links. A picture is only named.
 */
export function renderMarkdown(markdown: string, { paint, columns }: { paint: Paint; columns: number }): string {
  const lines = markdown
    .replaceAll('\r\n', '\n')
    .replace(/<!--.*?-->/gs, '')
    .split('\n')
  const rendered: string[] = []
  while (lines.length > 0) rendered.push(...renderBlock(lines, paint, columns))
  return rendered
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+|\s+$/g, '')
}

/** Takes the first block off the lines. Small print in cells is left out: a terminal has no small letters. */
function renderBlock(lines: string[], paint: Paint, columns: number): string[] {
  const line = lines.shift() ?? ''
  const fence = /^\s*(`{3,}|~{3,})/.exec(line)?.[1]
  if (fence) {
    const code = codeUpTo(lines, fence)
    if (line.trim() === `${fence}mermaid`) return [paint('dim', '(a picture of the tables that change, on GitHub)')]
    return code.map((text) => paint('cyan', `  │ ${text}`))
  }
  if (line.startsWith('|'))
    return renderTable([line, ...takeWhile(lines, (next) => next.startsWith('|'))], paint, columns)
  const heading = /^(#{1,6})\s+(.*)$/.exec(line)
  if (heading) return [paint('bold', renderInline(heading[2] ?? '', paint)), '']
  const summary = /<summary>(.*?)<\/summary>/s.exec(line)
  if (summary) return [paint('bold', `▾ ${renderInline(summary[1] ?? '', paint)}`)]
  if (/^<\/?(details|p|div|br|picture)\b[^>]*>$/i.test(line.trim())) return []
  const quoted = /^> ?(.*)$/.exec(line)
  if (quoted) return wrap(renderInline(asAlert(quoted[1] ?? ''), paint), columns - 2).map((text) => `┃ ${text}`)
  return wrap(renderInline(line.replace(/^(\s*)[-*] /, '$1• '), paint), columns)
}

function codeUpTo(lines: string[], fence: string): string[] {
  const code = takeWhile(lines, (next) => !next.trimStart().startsWith(fence))
  lines.shift()
  return code
}

function takeWhile(lines: string[], fits: (line: string) => boolean): string[] {
  const end = lines.findIndex((line) => !fits(line))
  return lines.splice(0, end < 0 ? lines.length : end)
}

function asAlert(text: string): string {
  return text.replace(/^\[!(\w+)\]$/, (_, kind: string) => `**${kind}**`)
}

/** The widest columns are made narrower, and their cells broken, until the table fits. */
function renderTable(lines: readonly string[], paint: Paint, columns: number): string[] {
  const rows = lines.filter((line) => !/^\|[\s:|-]+\|?$/.test(line)).map((line) => cellsOf(line, paint))
  const count = Math.max(...rows.map((row) => row.length))
  const widths = Array.from({ length: count }, (_, at) => Math.max(...rows.map((row) => widthOf(row[at] ?? ''))))
  const room = Math.max(columns - margin.length - gap.length * (count - 1), count * narrowest)
  while (sum(widths) > room) widths[widths.indexOf(Math.max(...widths))] = Math.max(...widths) - 1
  return rows.flatMap((row) => renderRow(row, widths))
}

const margin = '  '
const gap = '   '
const narrowest = 8

function renderRow(row: readonly string[], widths: readonly number[]): string[] {
  const cells = widths.map((width, at) => wrap(row[at] ?? '', width))
  const height = Math.max(...cells.map((lines) => lines.length))
  return Array.from({ length: height }, (_, line) => {
    const parts = cells.map((lines, at) => padded(lines[line] ?? '', widths[at] ?? 0))
    return (margin + parts.join(gap)).trimEnd()
  })
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function cellsOf(line: string, paint: Paint): string[] {
  const inner = line.trim().replace(/^\||\|$/g, '')
  return inner.split(/(?<!\\)\|/).map((cell) => renderInline(cell.trim(), paint))
}

function renderInline(text: string, paint: Paint): string {
  const parts = text.split(/(`+[^`]+`+)/)
  return parts
    .map((part, at) => (at % 2 === 1 ? paint('cyan', part.replace(/^`+ ?| ?`+$/g, '')) : emphasised(part, paint)))
    .join('')
}

function emphasised(text: string, paint: Paint): string {
  return decodeEntities(
    text
      .replace(/<br\s*\/?>\s*<sub>.*?<\/sub>/gi, '')
      .replace(/<br\s*\/?>/gi, ' ')
      .replace(/<code>(.*?)<\/code>/gi, (_, code: string) => paint('cyan', code))
      .replace(/<\/?[a-z][^>]*>/gi, '')
      .replace(/!?\[([^\]]*)\]\(([^)\s]*)\)/g, (_, label: string, url: string) =>
        label === url ? url : `${label} (${url})`
      )
      .replace(/\*\*(.+?)\*\*/g, (_, bold: string) => paint('bold', bold))
      .replace(/\\([!-/:-@[-`{-~])/g, '$1')
  )
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', nbsp: ' ' }

function decodeEntities(text: string): string {
  return text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&(lt|gt|amp|quot|nbsp);/g, (_, name: string) => entities[name] ?? '')
}

function wrap(text: string, columns: number): string[] {
  const indent = /^\s*(?:• )?/.exec(text)?.[0].length ?? 0
  const lines = ['']
  for (const word of text.split(/(?<=\S) /)) {
    const line = lines.at(-1) ?? ''
    if (line.trim() === '') lines[lines.length - 1] = line + word
    else if (widthOf(line) + 1 + widthOf(word) <= columns) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(' '.repeat(indent) + word)
  }
  return lines
}

/** Columns that a text takes: colours take none, emoji two. */
function widthOf(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours start with an escape character
  const visible = text.replace(/\u001b\[[\d;]*m|\ufe0f/g, '')
  return [...visible].reduce((width, character) => width + (/\p{Emoji_Presentation}/u.test(character) ? 2 : 1), 0)
}
