import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makePlan } from '../migration/make-plan.ts'
import { planDigest, writePlan } from '../migration/plan-file.ts'
import type { Module } from '../module/module.ts'
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
  // Bytes are compared a hundred times faster than they are hashed.
  if (!(await readFile(path)).equals(module.bytes)) {
    throw new Error(`The live module was saved to ${path}, but what is there now has other bytes.`)
  }
  return path
}

/**
 * Saves what was judged as a plan, beside the live module. Returns the path and the plan's digest. Throws when it can't be written.
 */
export async function savePlan(
  { request, tools, findings }: Work,
  previous: Previous | undefined,
  judgement: ReleaseJudgement
): Promise<{ readonly path: string; readonly digest: string }> {
  const { diagram: _, ...judged } = judgement
  const { database, module } = request
  const { databaseIdentity } = findings
  const path = join(tools.folder, `${database}-${module.hash.slice(0, 12)}-plan.json`)
  await mkdir(tools.folder, { recursive: true })
  const plan = makePlan({
    target: { server: tools.server.url, database, ...(databaseIdentity && { databaseIdentity }) },
    exists: true,
    previousHash: previous?.module.hash,
    moduleHash: module.hash,
    judgement: judged,
    origin: tools.origin,
    now: tools.clock.now()
  })
  await writePlan(path, plan)
  return { path, digest: planDigest(plan) }
}
