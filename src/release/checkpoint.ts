import * as z from 'zod'
import { conditionSchema } from '../migration/plan-file.ts'
import type { ModuleHash } from '../module/hash.ts'
import { results } from './deployment.ts'
import { undertakings } from './undertaking.ts'

const moduleHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((digits) => digits as ModuleHash)

/** A module, and the file that it is in. */
const savedModule = z.object({ hash: moduleHash, path: z.string() }).readonly()

const ledgerEndingSchema = z
  .object({ result: z.enum(results), isChecked: z.boolean(), note: z.string().optional() })
  .readonly()

/**
 * What must be known to finish or undo a deploy that was cut off: saved before anything is changed, read by the
 * action's `post` step.
 */
export const checkpointSchema = z.object({
  /**
   * `preparing`: steps before the publish run, and nothing of the module was sent. `changing`: the new module may be live, and isn't known to be healthy. `rolling-back`: the old one may be live
   * again. `unsettled`: the deploy ended without knowing what became of its publish, or what will.
   * `settled`: the deploy came to its own end.
   */
  phase: z.enum(['preparing', 'changing', 'rolling-back', 'unsettled', 'settled']),
  /** The server's URL. */
  server: z.string(),
  database: z.string(),
  next: savedModule,
  /** Not there when there is nothing to go back to. */
  previous: savedModule.optional(),
  onFailure: z.enum(['rollback', 'keep']),
  /** Without it, a deploy. */
  undertaking: z.enum(undertakings).optional(),
  /** Whether steps before or after the publish belong to it. */
  hasSteps: z.boolean().optional(),
  /** The release in the ledger: the id of its record. */
  releaseId: z.int().optional(),
  /** The release whose place it takes, in the ledger. */
  replaces: z.int().optional(),
  /** How it ended, while that is not in the ledger yet. */
  unwritten: ledgerEndingSchema.optional(),
  /** What was found out of the way back, for the reader. */
  wayBack: z
    .object({ reversible: z.enum(['yes', 'conditional', 'no']), conditions: z.array(conditionSchema) })
    .optional()
})

export type Checkpoint = Readonly<z.output<typeof checkpointSchema>>
