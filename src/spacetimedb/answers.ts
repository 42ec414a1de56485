import * as z from 'zod'
import { parseIdentity } from './identity.ts'
import type { Answer } from './transport.ts'

/**
 * Whether an answer was made by SpacetimeDB and not by a proxy before it. Every route of a database adds the header
 * `spacetime-identity`, to errors too, except to a refused token (docs/server-behaviour.md, "Answers").
 */
export function isServersOwn({ headers }: Pick<Answer, 'headers'>): boolean {
  return headers['spacetime-identity'] !== undefined && !/html/i.test(headers['content-type'] ?? '')
}

/** The start of a body in one line of at most 200 characters, for messages. */
export function startOf(body: string): string {
  const line = body.slice(0, 1000).replace(/\s+/g, ' ').trim()
  return line.length > 200 ? `${line.slice(0, 199)}…` : line
}

/** A body that is a reason, as long as a message may be. */
export function reasonIn({ status, body }: Pick<Answer, 'status' | 'body'>): string {
  const reason = body.trim() || `status ${status}, without a reason`
  return reason.length > 4000 ? `${reason.slice(0, 3999)}…` : reason
}

const identity = z
  .string()
  .regex(/^(0x)?[0-9a-f]{64}$/i)
  .transform(parseIdentity)

const wrappedIdentity = z.object({ __identity__: identity }).transform((wrapped) => wrapped.__identity__)

/** `GET /v1/database/NAME`. */
export const databaseAnswer = z.object({
  database_identity: wrappedIdentity,
  owner_identity: wrappedIdentity,
  host_type: z.union([
    z.object({ Wasm: z.unknown() }).transform(() => 'wasm' as const),
    z.object({ Js: z.unknown() }).transform(() => 'js' as const)
  ])
})

/** `POST /v1/identity`. */
export const newIdentityAnswer = z.object({ identity, token: z.string().min(1) })

/** `GET /v1/identity/IDENTITY/databases`. */
export const databasesAnswer = z.object({ identities: z.array(identity) })

/** `GET …/names`. */
export const namesAnswer = z.object({ names: z.array(z.string()) })

/** `POST …/pre_publish`. */
export const planAnswer = z.union([
  z
    .object({
      AutoMigrate: z.object({
        migrate_plan: z.string(),
        break_clients: z.boolean(),
        token: z.string().regex(/^0x[0-9a-f]{1,64}$/i),
        major_version_upgrade: z.boolean().default(false)
      })
    })
    .transform(({ AutoMigrate: plan }) => ({
      kind: 'automatic' as const,
      text: plan.migrate_plan,
      breaksClients: plan.break_clients,
      token: plan.token,
      majorVersionUpgrade: plan.major_version_upgrade
    })),
  z
    .object({ ManualMigrate: z.object({ reason: z.string(), major_version_upgrade: z.boolean().default(false) }) })
    .transform(({ ManualMigrate: plan }) => ({
      kind: 'manual' as const,
      reason: plan.reason,
      majorVersionUpgrade: plan.major_version_upgrade
    }))
])

/** `PUT /v1/database/NAME`, when it worked. `domain` is the name that was published to, if it was a name. */
export const publishAnswer = z
  .object({
    Success: z.object({
      domain: z.string().nullish(),
      database_identity: identity,
      op: z.enum(['created', 'updated'])
    })
  })
  .transform((answer) => answer.Success)

/** `POST …/sql`: one statement, so one result. */
export const sqlAnswer = z
  .tuple([
    z.object({
      schema: z.object({
        elements: z.array(
          z.object({
            name: z.union([z.object({ some: z.string() }), z.object({ none: z.unknown() })]),
            algebraic_type: z.unknown()
          })
        )
      }),
      rows: z.array(z.array(z.unknown())),
      total_duration_micros: z.number().exactOptional(),
      stats: z
        .object({ rows_inserted: z.number(), rows_deleted: z.number(), rows_updated: z.number() })
        .default({ rows_inserted: 0, rows_deleted: 0, rows_updated: 0 })
    })
  ])
  .transform(([result]) => result)

const programHash = z.string().regex(/^0x[0-9a-f]{1,64}$/i)

/** A result whose rows have a known form, as `st_module` has: one row. */
const oneRow = <Row extends z.ZodType>(row: Row) =>
  z.tuple([z.object({ rows: z.tuple([row]) })]).transform(([result]) => result.rows[0])

/** The row of `st_module` that `SELECT program_kind, program_hash FROM st_module` gives. */
export const liveAnswer = oneRow(z.tuple([z.number(), programHash]))

/** Of `SELECT program_kind, program_hash, program_bytes FROM st_module`: the bytes in hex. */
export const liveModuleAnswer = oneRow(z.tuple([z.number(), programHash, z.string().regex(/^(0x)?([0-9a-f]{2})*$/i)]))

/** The frames of a panic; modules without debug information have frames without names. */
const trace = z
  .array(z.object({ func_name: z.string().exactOptional() }))
  .transform((frames) => frames.flatMap(({ func_name }) => func_name ?? []))
  .catch([])

/** A line of `GET …/logs`. Lines of the server's own have no line number, only panics a trace. */
export const logLineAnswer = z
  .object({
    level: z.string(),
    ts: z.int(),
    message: z.string(),
    target: z.string().nullish(),
    filename: z.string().nullish(),
    line_number: z.number().nullish(),
    function: z.string().nullish(),
    trace: trace.optional()
  })
  .transform((line) => ({
    level: line.level,
    timestamp: BigInt(line.ts),
    message: line.message,
    ...(line.target != null && { target: line.target }),
    ...(line.filename != null && { file: line.filename }),
    ...(line.line_number != null && { line: line.line_number }),
    ...(line.function != null && { function: line.function }),
    ...(line.trace !== undefined && line.trace.length > 0 && { trace: line.trace })
  }))
