/**
 * The pairs in a file to which a step appends outputs, state or variables: `name=value` lines and
 * `name<<DELIMITER` … `DELIMITER` blocks. Throws where the runner would fail the step
 * (https://github.com/actions/runner/blob/main/src/Runner.Worker/FileCommandManager.cs).
 */
export function parsePairs(content: string): Record<string, string> {
  const lines = content.split(/\r?\n/)
  const pairs: Record<string, string> = {}
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (line === '') continue
    const [, name, operator, rest] = /^(.*?)(=|<<)(.*)$/s.exec(line) ?? []
    if (!name || rest === undefined) throw new Error(`Invalid format '${line}'`)
    if (operator === '=') {
      pairs[name] = rest
      continue
    }
    const end = lines.indexOf(rest, at + 1)
    if (rest === '' || end < 0) throw new Error(`Invalid value. Matching delimiter not found '${rest}'`)
    pairs[name] = lines.slice(at + 1, end).join('\n')
    at = end
  }
  return pairs
}
