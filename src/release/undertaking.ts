import type { ReleaseNotes } from './ledger/record.ts'

/** What somebody has set out to do, as a sentence calls it. */
export const undertakings = ['deploy', 'rollback', 'promotion'] as const

export type Undertaking = (typeof undertakings)[number]

/** What a release is to whoever asked for it. */
export function undertakingOf(notes: Pick<ReleaseNotes, 'action'> | undefined): Undertaking {
  if (notes?.action === 'rollback') return 'rollback'
  return notes?.action === 'promote' ? 'promotion' : 'deploy'
}

/** The module that is published, as a sentence calls it: of a rollback it is the older one. */
export function publishedModule(undertaking: Undertaking): string {
  return undertaking === 'rollback' ? 'the release to restore' : 'the new module'
}
