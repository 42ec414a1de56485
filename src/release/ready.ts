import { ConfigurationError, messageOf } from '../errors.ts'
import type { Journal } from '../journal.ts'
import type { Ending, LiveState } from './deployment.ts'
import type { ReleaseNotes } from './ledger/record.ts'
import type { Work } from './work.ts'

/** A release that may go on. */
export type Allowed = {
  /** Whether there is a database that it goes to. */
  readonly exists: boolean
  readonly journal: Journal
}

/** What came of what is done for a release before anything is changed. */
export type Readied =
  | {
      readonly kind: 'ready'
      /** What was made of the module meanwhile. */
      readonly made?: Made
    }
  | { readonly kind: 'not-ready'; readonly reason: string; readonly isConfiguration?: boolean }

export type Made = Pick<ReleaseNotes, 'image' | 'moduleArtifact'>

/**
 * Does what is to be done when a release is allowed and nothing was changed yet. Answers how the release ends when that did
 * not go well, or the job was cancelled meanwhile. Never throws.
 */
export async function notReady({ tools, journal, findings }: Work, live: LiveState): Promise<Ending | undefined> {
  if (tools.beforeChange === undefined) return undefined
  const readied = await tools.beforeChange({ exists: live.kind !== 'none', journal }).catch(failed)
  if (tools.cancelled.aborted) {
    return { result: 'failed', live, reason: 'The job was cancelled before anything was changed.' }
  }
  if (readied.kind === 'not-ready') {
    const { reason, isConfiguration = false } = readied
    return { result: 'failed', live, reason: `${reason}\nNothing was changed.`, isConfiguration }
  }
  if (readied.made) findings.made = readied.made
  return undefined
}

function failed(error: unknown): Readied {
  return { kind: 'not-ready', reason: messageOf(error), isConfiguration: error instanceof ConfigurationError }
}
