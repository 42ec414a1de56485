import * as z from 'zod'
import type { Identity } from '../spacetimedb/identity.ts'

/** What matters here of a release's record (`releaseRecordSchema`), whatever version of this project has written it. */
export const writtenRecordSchema = z
  .object({
    action: z.string(),
    server: z.string().optional(),
    database: z.string().optional(),
    databaseIdentity: z.string().optional(),
    databases: z.array(z.string()).optional()
  })
  .readonly()

/** A release of any environment, as far as it is written down. */
export type WrittenRelease = {
  readonly environment: string
  readonly record: z.output<typeof writtenRecordSchema>
  /** Milliseconds since the epoch. */
  readonly begun: number
}

/** A database that is taken for a preview. */
export type Suspect = {
  /** The server's URL. */
  readonly server: string
  readonly database: string
  readonly identity: Identity
}

/**
 * The newest release that says that a database is something else than a preview: another action brought it there, or
 * somebody's publish was taken over in an environment that has no previews. `undefined` when there is none. What is
 * written down of another server under the same name says nothing; of the same identity it does, since no two
 * databases have one.
 */
export function otherUseOf(suspect: Suspect, releases: readonly WrittenRelease[]): WrittenRelease | undefined {
  const about = releases.filter(({ record }) => isAbout(record, suspect))
  const environments = new Set(about.flatMap(({ environment, record }) => (isPreview(record) ? [environment] : [])))
  const others = about.filter(
    ({ environment, record }) => !isPreview(record) && !(record.action === 'adopt' && environments.has(environment))
  )
  return newestOf(others)
}

/** When a database was published to last, as far as it is written down: milliseconds since the epoch. */
export function lastReleaseOf(suspect: Suspect, releases: readonly WrittenRelease[]): number | undefined {
  return newestOf(releases.filter(({ record }) => isAbout(record, suspect)))?.begun
}

function isPreview({ action }: WrittenRelease['record']): boolean {
  return action === 'preview'
}

function isAbout(record: WrittenRelease['record'], { server, database, identity }: Suspect): boolean {
  const names = [record.database, ...(record.databases ?? [])]
  if (record.databaseIdentity === identity || names.includes(identity)) return true
  return record.server === server && names.includes(database)
}

function newestOf(releases: readonly WrittenRelease[]): WrittenRelease | undefined {
  return releases.reduce<WrittenRelease | undefined>(
    (newest, release) => (newest === undefined || release.begun > newest.begun ? release : newest),
    undefined
  )
}
