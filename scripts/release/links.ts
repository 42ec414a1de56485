import { dirname, join, normalize, relative } from 'node:path/posix'

export type Move = {
  /** The file, as it is called in the repository. */
  readonly from: string
  /** The file, as it is called in the release. */
  readonly to: string
  /** Where something of the repository is in the release; `undefined` when it is not there. */
  readonly placeOf: (path: string) => string | undefined
  /** Where to find what is not in the release: a URL that a path is put after. */
  readonly sources: string
}

/** Markdown whose relative links lead to the same as before, although its file and those around it have moved. */
export function movedLinks(markdown: string, { from, to, placeOf, sources }: Move): string {
  return markdown.replace(/\]\((?![a-z]+:|#|\/)([^)\s#]+)(#[^)\s]*)?\)/g, (_, target: string, anchor = '') => {
    const path = normalize(join(dirname(from), target)).replace(/\/$/, '')
    const place = placeOf(path)
    const link = place === undefined ? `${sources}/${path}` : relative(dirname(to), place) || '.'
    return `](${link}${anchor})`
  })
}
