import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { insist } from '../release/live-state.ts'
import type { Identity } from '../spacetimedb/identity.ts'
import { ServerFailure } from '../spacetimedb/server.ts'
import type { Preview } from './preview.ts'
import { type Proof, standingOf } from './standing.ts'

/** What became of a preview that was to be deleted. Reasons are whole sentences. */
export type Deletion =
  | { readonly kind: 'deleted'; readonly identity: Identity }
  /** It would have been deleted: a dry run. */
  | { readonly kind: 'planned'; readonly identity: Identity }
  /** There was none. */
  | { readonly kind: 'absent' }
  /** What is there is not proved to be a preview, or is locked: nothing was changed. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The server could not be asked, or did not do it. `isUnknown`: it may be gone all the same. */
  | { readonly kind: 'failed'; readonly reason: string; readonly isUnknown: boolean }

/**
 * Deletes a preview with all its data, for good. Nothing else: right before, the name has to lead to a database that is
 * proved to be the preview, and the request goes to the identity that was proved. Never throws.
 */
export async function deletePreview(
  preview: Preview,
  proof: Proof & { readonly clock: Clock },
  { dryRun = false }: { readonly dryRun?: boolean } = {}
): Promise<Deletion> {
  const standing = await standingOf(preview, proof)
  switch (standing.kind) {
    case 'absent':
      return standing
    case 'other':
      return { kind: 'refused', reason: `${standing.reason} Nothing was deleted.` }
    case 'unknown':
      return { kind: 'failed', reason: `${standing.reason} Nothing was deleted.`, isUnknown: false }
    case 'preview':
      return dryRun ? { kind: 'planned', identity: standing.identity } : remove(standing.identity, proof)
  }
}

async function remove(identity: Identity, { server, clock }: Proof & { readonly clock: Clock }): Promise<Deletion> {
  const answer = await server.delete(identity).catch((failure) => {
    if (failure instanceof ServerFailure) return { kind: 'not-sent', failure } as const
    throw failure
  })
  switch (answer.kind) {
    case 'deleted':
      return { kind: 'deleted', identity }
    case 'locked':
      return {
        kind: 'refused',
        reason: `The database ${identity} is locked, so it was not deleted. ${unlock(identity)}`
      }
    // Refused by the server it is as if it was not sent: nothing was changed.
    case 'not-sent':
      return { kind: 'failed', reason: `Nothing was deleted. ${messageOf(answer.failure)}`, isUnknown: false }
    case 'uncertain':
      break
  }
  const found = await insist(() => server.resolve(identity), clock)
  if (found.kind === 'answer' && found.value.kind !== 'exists') return { kind: 'deleted', identity }
  const now = found.kind === 'answer' ? 'It is still there.' : `Whether it is still there is not known. ${found.reason}`
  const reason = `${messageOf(answer.failure)} ${now}`
  return { kind: 'failed', reason, isUnknown: found.kind !== 'answer' }
}

function unlock(identity: Identity): string {
  return `Unlock it (\`spacetime unlock ${identity}\`) if it may go.`
}
