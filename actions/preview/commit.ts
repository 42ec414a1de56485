import * as z from 'zod'
import type { Environment } from '../../src/action/inputs.ts'
import type { ReleaseNotes } from '../../src/release/ledger/record.ts'

/**
 * The commit that a preview is of: of a pull request its newest one, where GitHub shows the deployment, and not the merge
 * that the run was given.
 */
export function commitOf(
  { GITHUB_SHA: sha, GITHUB_REF: ref }: Environment,
  payload: unknown
): Pick<ReleaseNotes, 'commit' | 'ref'> {
  const event = eventShape.safeParse(payload)
  if (!event.success) return { commit: sha, ref }
  const { sha: commit, ref: branch } = event.data.pull_request.head
  return { commit, ref: `refs/heads/${branch}` }
}

/** https://docs.github.com/webhooks/webhook-events-and-payloads#pull_request */
const eventShape = z.object({
  pull_request: z.object({ head: z.object({ sha: z.string(), ref: z.string() }) })
})
