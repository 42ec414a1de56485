import { ConfigurationError } from '../errors.ts'
import { parseIdentity } from './identity.ts'

/**
 * The database that the input `database` means: a name, or an identity in the form that the server gives back.
 * Throws a `ConfigurationError` for anything else (docs/server-behaviour.md, "Names").
 */
export function databaseName(input: string): string {
  const text = input.trim()
  if (/^(0x)?[0-9a-f]{64}$/i.test(text)) return parseIdentity(text)
  if (/^[a-z0-9]+(-[a-z0-9]+)*$/.test(text)) return text
  if (text === '') throw new ConfigurationError(`The input \`database\` is empty. ${allowed}`)
  const suggestion = suggestedName(text)
  const question = suggestion === '' ? '' : ` Did you mean "${suggestion}"?`
  throw new ConfigurationError(
    `The input \`database\` "${text.slice(0, 100)}" is not a database name.${question} ${allowed}`
  )
}

const allowed =
  'A name has lower-case letters and digits, in groups with one hyphen between them, as in my-game-2; an identity has 64 hex digits.'

function suggestedName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 100)
}
