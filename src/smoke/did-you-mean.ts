import { closestMatch } from 'leven'

/** Names that there are, for a message about one that there is not, and the one that was probably meant. */
export function knownNames(name: string, known: readonly string[]): string {
  const near = closestMatch(name, known, { maxDistance: Math.max(1, Math.floor(name.length / 2)) })
  const question = near === undefined ? '' : ` Did you mean \`${near}\`?`
  const shown = known.slice(0, 20).map((each) => `\`${each}\``)
  const rest = known.length > shown.length ? ` and ${known.length - shown.length} more` : ''
  return known.length === 0 ? 'There are none.' : `There are: ${shown.join(', ')}${rest}.${question}`
}
