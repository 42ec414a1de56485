/** The database of one pull request. Made by `previewOf` and `previewNamed` alone. */
export type Preview = {
  /** Of all previews of a repository. */
  readonly prefix: string
  /** Of the pull request. */
  readonly number: number
  /** The database's name: `<prefix>-pr-<number>`, and nothing of what somebody else writes. */
  readonly database: string
}

/** The preview of a pull request. Throws for what is no prefix or no number. */
export function previewOf(prefix: string, number: number): Preview {
  if (!prefixForm.test(prefix)) throw new Error(`"${prefix}" is no prefix of a database's name.`)
  if (!Number.isSafeInteger(number) || number < 1) throw new Error(`${number} is no number of a pull request.`)
  return { prefix, number, database: `${prefix}-pr-${number}` }
}

/** The preview that a database's name is exactly that of; `undefined` when it is the name of none. */
export function previewNamed(prefix: string, database: string): Preview | undefined {
  const digits = database.startsWith(`${prefix}-pr-`) ? database.slice(prefix.length + 4) : ''
  if (!/^[1-9]\d{0,14}$/.test(digits)) return undefined
  return previewOf(prefix, Number(digits))
}

/** As the name of a database may begin (docs/server-behaviour.md, "Names"). */
export const prefixForm = /^[a-z0-9]+(-[a-z0-9]+)*$/
