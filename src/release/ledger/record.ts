import * as z from 'zod'
import { verdicts } from '../../migration/verdict.ts'

const hash = z.string().regex(/^[0-9a-f]{64}$/)

/** What makes a release. `adopt`: somebody published past the ledger, and it was found live. */
export const recordedActions = ['deploy', 'migrate-schema', 'rollback', 'promote', 'preview', 'adopt'] as const

/**
 * A release as the ledger keeps it: everything that is known of it before anything is published. What became of it is
 * told afterwards (`RecordedRelease`).
 */
export const releaseRecordSchema = z
  .object({
    /** Of this shape. */
    version: z.literal(1),
    action: z.enum(recordedActions),
    /** The server's URL, without a trailing slash. */
    server: z.string(),
    /** As it was given: a name or an identity. */
    database: z.string(),
    /** Not there for a database that this release creates. */
    databaseIdentity: hash.optional(),
    /** Of a release of several databases at once: all of them, in their order; `database` is the first then. */
    databases: z.array(z.string()).readonly().optional(),
    /** keccak256, hex. */
    moduleHash: hash,
    /** Of the module's bytes: `sha256:` and 64 hex digits. */
    moduleDigest: z.string().optional(),
    moduleKind: z.enum(['wasm', 'js']).optional(),
    /** In bytes. */
    size: z.int().optional(),
    /** What the module was built from, as far as known. */
    commit: z.string().optional(),
    ref: z.string().optional(),
    /** The run that made the release: its page. */
    run: z.string().optional(),
    actor: z.string().optional(),
    planDigest: z.string().optional(),
    verdict: z.enum(verdicts).optional(),
    reversible: z.enum(['yes', 'conditional', 'no']).optional(),
    /** What was live before. */
    previousHash: hash.optional(),
    /** The release that this one brings back: the id of its record. */
    restores: z.int().optional(),
    /** Where a promoted module comes from. */
    from: z.string().optional(),
    /** By digest: an image with the module. */
    image: z.string().optional(),
    /** By digest: the OCI artifact that holds the module's bytes. */
    moduleArtifact: z.string().optional(),
    /** The artifact of a run of GitHub Actions that holds the module's bytes. */
    artifact: z.object({ name: z.string(), id: z.int().optional() }).readonly().optional(),
    reason: z.string().optional()
  })
  .readonly()

export type ReleaseRecord = z.output<typeof releaseRecordSchema>

/** What whoever releases knows of a release; the rest is found out by the release itself. */
export type ReleaseNotes = Pick<
  ReleaseRecord,
  | 'action'
  | 'commit'
  | 'ref'
  | 'run'
  | 'actor'
  | 'restores'
  | 'from'
  | 'image'
  | 'moduleArtifact'
  | 'artifact'
  | 'reason'
>
