import { hash as digestOf } from 'node:crypto'
import type { Module } from '../../module/module.ts'
import { countsOf } from '../../smoke/check-report.ts'
import { type Ending, type Findings, isSuccess, type Result } from '../deployment.ts'
import type { DeployRequest } from '../work.ts'
import type { LedgerEnding } from './ledger.ts'
import type { ReleaseNotes, ReleaseRecord } from './record.ts'

/** What is written down of a release before it is published. */
export function recordOf({ notes, module }: DeployRequest, findings: Findings): ReleaseRecord {
  const { judgement, previousHash, planDigest, made } = findings
  return {
    ...placeIn(findings),
    ...(notes ?? { action: 'deploy' }),
    ...made,
    ...partsOf(module),
    planDigest,
    verdict: judgement?.verdict,
    reversible: judgement?.wayBack.reversible,
    previousHash
  }
}

/**
 * What is written down of a module that was found live without a release of its own. `isOurs`: it is the module that was
 * to be released, so that it is known where it comes from.
 */
export function adoptionOf(
  module: Module,
  { notes, isOurs }: { readonly notes: ReleaseNotes | undefined; readonly isOurs: boolean },
  findings: Findings
): ReleaseRecord {
  const { run, actor, commit, ref, image, moduleArtifact, artifact } = notes ?? {}
  return {
    ...placeIn(findings),
    action: 'adopt',
    run,
    actor,
    ...(isOurs && { commit, ref, image, moduleArtifact, artifact }),
    ...partsOf(module),
    previousHash: findings.drift?.expected.record.moduleHash,
    // Somebody has gone back to it, so that it stands where it stood.
    restores: findings.drift?.knownAs?.id
  }
}

function placeIn({ server, database, databaseIdentity }: Findings) {
  return { version: 1, server, database, databaseIdentity } as const
}

function partsOf({ hash, kind, bytes }: Module) {
  return {
    moduleHash: hash,
    moduleDigest: `sha256:${digestOf('sha256', bytes, 'hex')}`,
    moduleKind: kind,
    size: bytes.length
  }
}

/** How an ending is written down. */
export function writtenEnding(
  { result, reason }: Ending,
  isChecked: boolean,
  action: string | undefined
): LedgerEnding {
  const note = reason?.trim().replaceAll(/\s+/g, ' ')
  return { result: resultFor(action, result), isChecked, ...(note && { note }) }
}

/** A rollback that has done what it was asked to do has rolled back; one that was undone has not. */
function resultFor(action: string | undefined, result: Result): Result {
  if (action !== 'rollback') return result
  if (result === 'updated') return 'rolled-back'
  return result === 'rolled-back' ? 'failed' : result
}

/** Whether anything was asked of the new module, and all that was asked was as it should be. */
export function hasBeenChecked({ healthCheck, smoke }: Findings, { result }: Ending): boolean {
  if (!isSuccess(result) || result === 'planned') return false
  return healthCheck !== undefined || (smoke !== undefined && (smoke.soak !== undefined || countsOf(smoke).passed > 0))
}
