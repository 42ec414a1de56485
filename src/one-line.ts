/** The start of a text, in one line of at most 60 characters, or as many as are told, for a message that names it. */
export function inOneLine(text: string, longest = 60): string {
  const line = text
    .slice(0, longest * 16)
    .replace(/\s+/g, ' ')
    .trim()
  return line.length <= longest ? line : `${line.slice(0, longest - 1)}…`
}
