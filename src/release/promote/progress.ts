import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { checkpointSchema } from '../checkpoint.ts'
import { type SharedBegun, sharedBegunSchema } from './end-shared.ts'
import type { Progress } from './promote.ts'
import { promotedSchema } from './promotion.ts'

/** What a promotion was to do: known before anything is begun. */
export const promotionBegunSchema = z.object({
  /** The server's URL. */
  server: z.string(),
  identity: z.string(),
  moduleHash: z.string(),
  databases: z.array(z.string()).readonly(),
  isDryRun: z.boolean()
})

export type PromotionBegun = Readonly<z.output<typeof promotionBegunSchema>>

/** What a promotion has done and was doing when it ended, whichever way. */
export type PromotionLeft = PromotionBegun & {
  /** Of the databases that were begun. */
  readonly begun: ReadonlyMap<string, Entry>
  /** In the ledger. */
  readonly releases: readonly SharedBegun[]
}

/**
 * Keeps the progress of a promotion in a folder, with a file for each database: what is written is whole, and stays when
 * the process is killed right afterwards.
 */
export function keepProgress(folder: string, begun: PromotionBegun): Progress {
  mkdirSync(folder, { recursive: true })
  write(join(folder, promotionFile), begun)
  const entries = new Map<string, Entry>()
  const releases: SharedBegun[] = []
  const add = (database: string, more: Entry) => {
    const entry = { ...entries.get(database), ...more }
    entries.set(database, entry)
    write(fileOf(folder, database), entry)
  }
  return {
    remember: (database, checkpoint) => add(database, { checkpoint }),
    over: (promoted) => add(promoted.database, { promoted }),
    begun: (release) => {
      releases.push(release)
      write(join(folder, releasesFile), releases)
    }
  }
}

/** Reads what `keepProgress` kept. Throws when a file can't be read, or is not what it wrote. */
export async function readProgress(folder: string): Promise<PromotionLeft> {
  const begun = promotionBegunSchema.parse(JSON.parse(await readFile(join(folder, promotionFile), 'utf8')))
  const entries = await Promise.all(
    begun.databases.map(
      async (database) => [database, await readIfThere(fileOf(folder, database), entrySchema)] as const
    )
  )
  const known = new Map(entries.flatMap(([database, entry]) => (entry ? [[database, entry]] : [])))
  const releases = await readIfThere(join(folder, releasesFile), sharedBegunSchema.array())
  return { ...begun, begun: known, releases: releases ?? [] }
}

const promotionFile = 'promotion.json'
const releasesFile = 'releases.json'

/** A database's name can be that of a file anywhere: lower-case letters, digits and dashes. */
function fileOf(folder: string, database: string): string {
  return join(folder, `database-${database}.json`)
}

function write(file: string, content: unknown): void {
  writeFileSync(`${file}.new`, JSON.stringify(content))
  renameSync(`${file}.new`, file)
}

const entrySchema = z.object({ checkpoint: checkpointSchema.optional(), promoted: promotedSchema.optional() })

type Entry = Readonly<z.output<typeof entrySchema>>

async function readIfThere<Schema extends z.ZodType>(file: string, schema: Schema) {
  const text = await readFile(file, 'utf8').catch((error) => {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined
    throw error
  })
  return text === undefined ? undefined : schema.parse(JSON.parse(text))
}
