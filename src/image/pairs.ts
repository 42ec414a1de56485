import { ConfigurationError } from '../errors.ts'

/** A name and its value. */
export type Pair = readonly [string, string]

/**
 * The pairs that an input holds, one `NAME=value` in each line. Throws a `ConfigurationError` that names the line by its
 * number only when `isSecret`.
 */
export function pairsIn(text: string | undefined, input: string, { isSecret = false } = {}): Pair[] {
  const lines = (text ?? '').split(/\r?\n/).map((line, index) => ({ line: line.trim(), number: index + 1 }))
  return lines
    .filter(({ line }) => line !== '')
    .map(({ line, number }) => {
      const equals = line.indexOf('=')
      const name = line.slice(0, Math.max(0, equals)).trim()
      if (equals > 0 && !/\s/.test(name)) return [name, line.slice(equals + 1)] as const
      const shown = isSecret ? `line ${number}` : `line ${number}, \`${line.slice(0, 100)}\`,`
      throw new ConfigurationError(`Input \`${input}\`: ${shown} is no \`NAME=value\`. Give one in each line.`)
    })
}
