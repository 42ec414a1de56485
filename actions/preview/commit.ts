import * as z from 'zod'
import type { Environment } from '../../src/action/inputs.ts'
import type { ReleaseNotes } from '../../src/release/ledger/record.ts'

/**
 * The commit that a preview is of: of a pull request its newest one, where GitHub shows the deployment, and not the merge
 * that the run was given. A run that was started by hand, or by another run, is of some branch, and what it has built is
 * not known.
 */
export function commitOf(
  { GITHUB_EVENT_NAME: eventName, GITHUB_SHA: sha, GITHUB_REF: ref }: Environment,
  payload: unknown
): Pick<ReleaseNotes, 'commit' | 'ref'> {
  const event = eventShape.safeParse(payload)
  if (!event.success) return eventName === 'push' ? { commit: sha, ref } : { commit: undefined, ref: undefined }
  const { number, head } = event.data.pull_request
  // The branch of a fork is no ref of this repository.
  return { commit: head.sha, ref: `refs/pull/${number}/head` }
}

/** https://docs.github.com/webhooks/webhook-events-and-payloads#pull_request */
const eventShape = z.object({
  pull_request: z.object({ number: z.int(), head: z.object({ sha: z.string() }) })
})
