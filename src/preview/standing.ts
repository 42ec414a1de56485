import type { Identity } from '../spacetimedb/identity.ts'
import type { Server } from '../spacetimedb/server.ts'
import { otherUseOf, type WrittenRelease } from './other-use.ts'
import { type Preview, previewNamed } from './preview.ts'

/** What the name of a preview leads to. */
export type Standing =
  /** No database. */
  | { readonly kind: 'absent' }
  /** The preview: ours, under this name alone, and nothing says that it is something else. */
  | { readonly kind: 'preview'; readonly identity: Identity }
  /** Anything else, which is left alone. `reason` is whole sentences. */
  | { readonly kind: 'other'; readonly reason: string }

/** By what a database is proved to be a preview. */
export type Proof = {
  readonly server: Server
  /** Who we are. */
  readonly identity: Identity
  /** What is written down of releases, of all environments; `undefined` where nothing can be read of it. */
  readonly releases: readonly WrittenRelease[] | undefined
}

/**
 * Finds out whether the name of a preview leads to the preview: without that it is neither published to nor deleted.
 * A name alone proves nothing, since anyone can give any database one more (docs/server-behaviour.md, "Names").
 * Throws a `ServerFailure` when the server can't be asked.
 */
export async function standingOf(preview: Preview, { server, identity, releases = [] }: Proof): Promise<Standing> {
  const { prefix, number, database } = preview
  if (previewNamed(prefix, database)?.number !== number) throw new Error(`"${database}" is not the name of a preview.`)
  const found = await server.resolve(database)
  if (found.kind !== 'exists') return { kind: 'absent' }
  if (found.owner !== identity) {
    return other(
      `The database "${database}" belongs to identity ${found.owner}, and this job is ${identity}. Only the previews of one's own are touched.`
    )
  }
  const names = await server.namesOf(found.identity)
  if (!names.includes(database)) return other(`The name "${database}" led to another database a moment later.`)
  const others = names.filter((name) => name !== database)
  if (others.length > 0) {
    return other(
      `The database "${database}" has other names too: ${others.map((name) => `"${name}"`).join(', ')}. A preview has one name, and anyone can give a database of yours one more. If it is a preview, delete it by hand.`
    )
  }
  const use = otherUseOf({ server: server.url, database, identity: found.identity }, releases)
  if (use === undefined) return { kind: 'preview', identity: found.identity }
  const what = use.record.action === 'adopt' ? 'was published to by hand' : `was released by \`${use.record.action}\``
  return other(
    `The database "${database}" is no preview by what is written down of releases: on ${new Date(use.begun).toISOString()} it ${what}, in the environment "${use.environment}".`
  )
}

function other(reason: string): Standing {
  return { kind: 'other', reason }
}
