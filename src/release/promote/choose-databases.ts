import { ConfigurationError } from '../../errors.ts'

/** A file that names databases, and those that it names on the server. */
export type NamedDatabases = {
  /** As a sentence names it, such as `spacetime.json`. */
  readonly file: string
  readonly names: readonly string[]
  /** Those that it names on other servers. */
  readonly elsewhere: readonly string[]
}

/**
 * The databases that an input means, in its order and each once: names as they are and, for patterns with `*` and `?`, all
 * that fit among those which a file names, in its order. Throws a `ConfigurationError` that says what there is when a
 * pattern fits none.
 */
export async function chooseDatabases(
  given: string,
  readNamed: () => Promise<NamedDatabases>
): Promise<readonly string[]> {
  const patterns = given.split(/[\s,]+/).filter((pattern) => pattern !== '')
  const named = patterns.some(isPattern) ? await readNamed() : undefined
  const chosen = patterns.flatMap((pattern) => (named && isPattern(pattern) ? fitting(pattern, named) : [pattern]))
  return [...new Set(chosen)]
}

function isPattern(text: string): boolean {
  return /[*?]/.test(text)
}

function fitting(pattern: string, { file, names, elsewhere }: NamedDatabases): readonly string[] {
  const form = formOf(pattern)
  const found = names.filter((name) => form.test(name))
  if (found.length > 0) return found
  const others = elsewhere.filter((name) => form.test(name))
  const there =
    names.length === 0 ? `${file} names no database on this server` : `${file} names ${listed(names)} on this server`
  const away = others.length === 0 ? '' : ` It fits ${listed(others)}, which belong to another server there.`
  throw new ConfigurationError(
    `Input \`databases\`: nothing fits \`${pattern}\`. ${there}.${away} Correct it, or give the names themselves.`
  )
}

/** Names have letters, digits and dashes alone. */
function formOf(pattern: string): RegExp {
  return new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`)
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 30).map((name) => `\`${name}\``)
  const more = names.length - shown.length
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ')
}
