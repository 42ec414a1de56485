/** The start of a text, in one line of at most 60 characters, for a message that names it. */
export function inOneLine(text: string): string {
  const line = text.slice(0, 1000).replace(/\s+/g, ' ').trim()
  return line.length <= 60 ? line : `${line.slice(0, 59)}…`
}
