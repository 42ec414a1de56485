import { hash as digestOf } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import * as z from 'zod'
import { firstIssue, parseJson } from '../checked-json.ts'
import { ConfigurationError, messageOf } from '../errors.ts'
import { plainChangeKinds, serverTreatments, subjectKinds } from './change.ts'
import { type Reversible, verdicts } from './verdict.ts'

/** The version of the format that this code writes, and the only one that it reads. */
const format = 1

const hash = z.string().regex(/^[0-9a-f]{64}$/)

/** Something about the data that a step needs, as it is kept in files. */
export const conditionSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('table-empty'), table: z.string() }),
  z.object({ kind: z.literal('at-most-one-row'), table: z.string() }),
  z.object({ kind: z.literal('values-distinct'), table: z.string(), columns: z.array(z.string()) }),
  z.object({
    kind: z.literal('sequence-range-free'),
    table: z.string(),
    column: z.string(),
    from: z.string(),
    to: z.string().exactOptional()
  })
])

const aboutEveryChange = {
  id: z.string(),
  subject: z.object({ kind: z.enum(subjectKinds), name: z.string() }),
  what: z.string(),
  before: z.string().exactOptional(),
  after: z.string().exactOptional(),
  verdict: z.enum(verdicts),
  conditions: z.array(conditionSchema),
  atServer: z.enum(serverTreatments),
  note: z.string().exactOptional()
}

const obstacle = z.object({
  reason: z.enum(['type', 'fewer-variants', 'renamed-variant', 'size', 'alignment', 'field-count', 'renamed-field']),
  within: z.boolean(),
  before: z.string(),
  after: z.string()
})

const uniqueKinds = ['unique-constraint-added', 'unique-constraint-removed', 'unique-constraint-changed'] as const

const change = z.discriminatedUnion('kind', [
  z.object({ ...aboutEveryChange, kind: z.enum(plainChangeKinds) }),
  z.object({ ...aboutEveryChange, kind: z.literal('column-added'), column: z.string(), hasDefault: z.boolean() }),
  z.object({
    ...aboutEveryChange,
    kind: z.enum(['column-removed', 'column-default-changed']),
    column: z.string()
  }),
  z.object({ ...aboutEveryChange, kind: z.literal('columns-moved'), columns: z.array(z.string()) }),
  z.object({
    ...aboutEveryChange,
    kind: z.literal('column-type-changed'),
    column: z.string(),
    obstacles: z.array(obstacle)
  }),
  z.object({
    ...aboutEveryChange,
    kind: z.enum(uniqueKinds),
    constraint: z.string(),
    columns: z.array(z.string())
  }),
  z.object({ ...aboutEveryChange, kind: z.enum(['index-added', 'index-removed', 'index-changed']), index: z.string() }),
  z.object({ ...aboutEveryChange, kind: z.literal('index-renamed'), index: z.string(), newName: z.string() }),
  z.object({
    ...aboutEveryChange,
    kind: z.literal('index-accessor-changed'),
    index: z.string(),
    accessor: z.string().exactOptional(),
    newAccessor: z.string().exactOptional()
  }),
  z.object({
    ...aboutEveryChange,
    kind: z.enum(['sequence-added', 'sequence-removed', 'sequence-changed']),
    sequence: z.string()
  })
])

const serverPlan = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('automatic'),
    text: z.string(),
    breaksClients: z.boolean(),
    token: z.string(),
    majorVersionUpgrade: z.boolean()
  }),
  z.object({ kind: z.literal('manual'), reason: z.string(), majorVersionUpgrade: z.boolean() })
])

const planSchema = z.strictObject({
  /** What made the plan, with its version. */
  tool: z.string(),
  createdAt: z.iso.datetime(),
  /** The database that the plan is for. Missing when two modules were compared: such a plan can't be applied. */
  target: z
    .object({ server: z.string(), database: z.string(), databaseIdentity: hash.exactOptional() })
    .exactOptional(),
  /** Whether the database, or the module to compare with, was there when the plan was made. */
  exists: z.boolean(),
  /** What was compared with, where it was a module from elsewhere: for the reader. */
  base: z.string().exactOptional(),
  /** Hashes are keccak256 in hex, the usual byte order. The previous one is missing when nobody could read it. */
  previousHash: hash.exactOptional(),
  moduleHash: hash,
  verdict: z.enum(verdicts),
  conditions: z.array(conditionSchema),
  disagreement: z.string().exactOptional(),
  changes: z.array(change),
  /** Missing when the plan was made without asking the server. */
  serverPlan: serverPlan.exactOptional(),
  /** Missing when there is nothing to go back to: a first release. */
  wayBack: z
    .object({
      reversible: z.enum(['yes', 'conditional', 'no'] satisfies Reversible[]),
      conditions: z.array(conditionSchema),
      blockers: z.array(change)
    })
    .exactOptional(),
  /** Where the plan comes from, for the reader. */
  metadata: z
    .object({
      commit: z.string().exactOptional(),
      repository: z.string().exactOptional(),
      run: z.string().exactOptional()
    })
    .exactOptional()
})

/** A plan as it is kept in `plan.json`: what was found out about one release, at one time, for one database. */
export type Plan = ReadonlyDeep<z.infer<typeof planSchema>>

type ReadonlyDeep<Value> = Value extends object ? { readonly [Key in keyof Value]: ReadonlyDeep<Value[Key]> } : Value

/** SHA-256 in hex over the plan, whatever the order of its keys. Whoever approves a plan approves this. */
export function planDigest(plan: Plan): string {
  return digestOf('sha256', canonicalJson(plan), 'hex')
}

/** The contents of `plan.json`. */
export function formatPlan(plan: Plan): string {
  return `${JSON.stringify({ format, digest: planDigest(plan), ...plan }, null, 2)}\n`
}

/**
 * The plan in the contents of a `plan.json`. Throws a `ConfigurationError` when they are none, of another format, or
 * not as they were written.
 */
export function parsePlan(text: string, origin = 'plan.json'): Plan {
  const envelope = z.looseObject({ format: z.number(), digest: z.string() }).safeParse(parseJson(text, origin))
  if (!envelope.success) throw new ConfigurationError(`${origin} is not a plan: ${firstIssue(envelope.error)}.`)
  const { format: given, digest, ...rest } = envelope.data
  if (given !== format) {
    throw new ConfigurationError(
      `${origin} is a plan of format ${given}; this version reads format ${format}. Make the plan and apply it with the same version.`
    )
  }
  const plan = planSchema.safeParse(rest)
  if (!plan.success) throw new ConfigurationError(`${origin} is not a plan: ${firstIssue(plan.error)}.`)
  if (planDigest(plan.data) !== digest) {
    throw new ConfigurationError(`${origin} was changed after it was written: its digest is another. Make a new plan.`)
  }
  return plan.data
}

/** Writes `plan.json`. */
export async function writePlan(path: string, plan: Plan): Promise<void> {
  await writeFile(path, formatPlan(plan))
}

/** Reads `plan.json`. Throws a `ConfigurationError` when it can't be read or is not a plan. */
export async function readPlan(path: string): Promise<Plan> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new ConfigurationError(`The plan ${path} can't be read: ${messageOf(error)}`)
  }
  return parsePlan(text, path)
}

/** JSON with the keys of every object in order. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
  })
}
