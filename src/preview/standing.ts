import type { Identity } from '../spacetimedb/identity.ts'
import { type Server, ServerFailure } from '../spacetimedb/server.ts'
import { otherUseOf, type WrittenRelease } from './other-use.ts'
import { type Preview, previewNamed } from './preview.ts'

/** What the name of a preview leads to. Reasons are whole sentences. */
export type Standing =
  /** No database. */
  | { readonly kind: 'absent' }
  /** The preview: ours, under this name alone, and nothing says that it is something else. */
  | { readonly kind: 'preview'; readonly identity: Identity }
  /** Anything else, which is left alone. */
  | { readonly kind: 'other'; readonly reason: string }
  /** Somebody who has to be asked gave no answer. */
  | { readonly kind: 'unknown'; readonly reason: string }

/** By what a database is proved to be a preview. */
export type Proof = {
  readonly server: Server
  /** Who we are. */
  readonly identity: Identity
  /** Asks what is written down of releases, of all environments. Asks once. */
  readonly releases: () => Promise<WrittenReleases>
}

export type WrittenReleases =
  | { readonly kind: 'read'; readonly releases: readonly WrittenRelease[] }
  /** Nothing is written down, or this job may not read it. */
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly reason: string }

/**
 * Finds out whether the name of a preview leads to the preview: without that it is neither published to nor deleted.
 * A name alone proves nothing, since anyone can give any database one more (docs/server-behaviour.md, "Names"). The
 * server is asked last, so that what it says is as fresh as can be. Never throws for what a server says.
 */
export async function standingOf(preview: Preview, proof: Proof): Promise<Standing> {
  const { prefix, number, database } = preview
  if (previewNamed(prefix, database)?.number !== number) throw new Error(`"${database}" is not the name of a preview.`)
  try {
    const first = await look(database, proof)
    if (first.kind !== 'preview') return first
    const word = await ledgersWord(database, first.identity, proof)
    if (word !== undefined) return word
    const last = await look(database, proof)
    const isSame = last.kind !== 'preview' || last.identity === first.identity
    return isSame ? last : other(`The name "${database}" led to another database a moment later.`)
  } catch (failure) {
    if (!(failure instanceof ServerFailure)) throw failure
    return { kind: 'unknown', reason: failure.message }
  }
}

async function look(database: string, { server, identity }: Proof): Promise<Standing> {
  const found = await server.resolve(database)
  if (found.kind !== 'exists') return { kind: 'absent' }
  if (found.owner !== identity) {
    return other(
      `The database "${database}" belongs to identity ${found.owner}, and this job is ${identity}. Only previews of one's own are touched.`
    )
  }
  const names = await server.namesOf(found.identity)
  if (!names.includes(database)) return other(`The name "${database}" led to another database a moment later.`)
  const others = names.filter((name) => name !== database)
  if (others.length === 0) return { kind: 'preview', identity: found.identity }
  return other(
    `The database "${database}" has other names too: ${others.map((name) => `"${name}"`).join(', ')}. A preview has one name, and anyone can give a database of yours one more. If it is a preview all the same, delete it by hand.`
  )
}

/** Why a database is none by what is written down, or why that is not known; `undefined` when nothing speaks against it. */
async function ledgersWord(database: string, identity: Identity, proof: Proof): Promise<Standing | undefined> {
  const written = await proof.releases()
  if (written.kind === 'none') return undefined
  if (written.kind === 'unknown') {
    const reason = `Whether "${database}" is anything else than a preview could not be looked up in the ledger of releases: ${written.reason}`
    return { kind: 'unknown', reason }
  }
  const use = otherUseOf({ server: proof.server.url, database, identity }, written.releases)
  if (use === undefined) return undefined
  const { record, begun, environment } = use
  const what = record.action === 'adopt' ? 'was published to by hand' : `was released by \`${record.action}\``
  return other(
    `The database "${database}" is no preview by the ledger of releases: on ${new Date(begun).toISOString()} it ${what}, in the environment "${environment}".`
  )
}

function other(reason: string): Standing {
  return { kind: 'other', reason }
}
