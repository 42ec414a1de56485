/** What stands for the repository of the releases in everything that users read and copy. */
export const placeholder = 'org/stdb-actions'

/** A text with the repository that releases are made in (`owner/name`) where the placeholder stands. */
export function withRepository(text: string, repository: string): string {
  return text.replaceAll(/(?<![\w.-])org\/stdb-actions(?![\w-])/g, () => repository)
}

/** The major versions that a text names for one of our actions or files of ours: `org/stdb-actions/deploy@v1` is 1. */
export function majorsNamedIn(text: string): number[] {
  const named = text.matchAll(
    /(?<![\w.-])org\/stdb-actions(?:(?:\/[\w-]+)*@|\/(?:blob|tree)\/|\.git#|\/)v(\d+)(?![\w.])/g
  )
  return [...named].map(([, major]) => Number(major))
}
