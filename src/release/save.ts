import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writePlan } from '../migration/plan-file.ts'
import { hashModule } from '../module/hash.ts'
import type { Module } from '../module/module.ts'
import { version } from '../version.ts'
import type { ReleaseJudgement } from './deployment.ts'
import type { Previous, Work } from './work.ts'

/**
 * Saves a module in a folder, named after its database and hash, and reads it back to be sure of it. Returns the
 * path. Throws when the file can't be written or doesn't hold the same bytes afterwards.
 */
export async function saveModule(folder: string, database: string, module: Module): Promise<string> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, `${database}-${module.hash.slice(0, 12)}.${module.kind}`)
  await writeFile(path, module.bytes)
  if (hashModule(await readFile(path)) !== module.hash) {
    throw new Error(`The live module was saved to ${path}, but what is there now has another hash.`)
  }
  return path
}

/**
 * Saves what was judged as a plan, beside the live module. Returns the path. Throws when it can't be written.
 */
export async function savePlan(
  { request, tools, findings }: Work,
  previous: Previous | undefined,
  judgement: ReleaseJudgement
): Promise<string> {
  const { changes, wayBack, diagram: _, ...judged } = judgement
  const { reversible, conditions, blockers } = wayBack
  const { database, module } = request
  const path = join(tools.folder, `${database}-${module.hash.slice(0, 12)}-plan.json`)
  await mkdir(tools.folder, { recursive: true })
  await writePlan(path, {
    tool: `stdb-actions ${version}`,
    createdAt: new Date(tools.clock.now()).toISOString(),
    server: tools.server.url,
    database,
    ...(findings.databaseIdentity && { databaseIdentity: findings.databaseIdentity }),
    exists: true,
    ...(previous && { liveHash: previous.module.hash }),
    moduleHash: module.hash,
    ...judged,
    changes,
    wayBack: { reversible, conditions, blockers },
    metadata: tools.origin
  })
  return path
}
