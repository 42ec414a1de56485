import * as z from 'zod'
import type { Clock } from '../../clock.ts'
import { isSuccess, type Result } from '../deployment.ts'
import type { Ledger, LedgerAnswer, LedgerEnding } from '../ledger/ledger.ts'
import { LedgerPatience } from '../ledger/patience.ts'
import { releaseRecordSchema } from '../ledger/record.ts'
import { type NotBegun, type Promoted, wasBegun } from './promotion.ts'

/** A release of several databases that is written down as begun. */
export const sharedBegunSchema = z.object({ id: z.int(), url: z.string().exactOptional(), record: releaseRecordSchema })

export type SharedBegun = Readonly<z.output<typeof sharedBegunSchema>>

/**
 * Writes down how releases of several databases ended, each in one entry. A database that runs the module without being
 * well, or of which nobody knows what it runs, gets one of its own besides: the shared one can only say that a database got
 * the module or did not. Answers what went wrong first. Never throws.
 */
export async function endShared(
  ledger: Ledger,
  begun: readonly SharedBegun[],
  databases: readonly (Promoted | NotBegun)[],
  { clock, cancelled }: { readonly clock: Clock; readonly cancelled: AbortSignal }
): Promise<LedgerAnswer<undefined>> {
  const patience = new LedgerPatience(clock, cancelled)
  const reports = new Map(databases.filter(wasBegun).map((each) => [each.database, each]))
  const answers: LedgerAnswer<undefined>[] = []
  for (const { id, record } of begun) {
    const names = record.databases ?? [record.database]
    answers.push(await patience.wait(() => ledger.end(id, endingOf(names, reports))))
    const doubtful = names.flatMap((name) => reports.get(name) ?? []).filter(isDoubtful)
    for (const each of doubtful.slice(0, mostOfTheirOwn)) {
      answers.push(await patience.wait(() => writeAlone(ledger, record, each)))
    }
  }
  return answers.find(({ kind }) => kind === 'failed') ?? { kind: 'ok', value: undefined }
}

/** GitHub takes some 80 writes a minute. */
const mostOfTheirOwn = 10

function isDoubtful({ result, live }: Promoted): boolean {
  return result === 'unknown' || (live.kind === 'new' && !isSuccess(result))
}

function endingOf(names: readonly string[], reports: ReadonlyMap<string, Promoted>): LedgerEnding {
  const ended = names.map((name) => reports.get(name))
  const good = ended.filter((each) => each !== undefined).filter(({ result }) => isSuccess(result))
  const isChecked = good.length > 0 && good.every((each) => each.isChecked)
  if (good.length === names.length) return { result: resultOfAll(good), isChecked }
  const without = ended.flatMap((each, position) => (each && isSuccess(each.result) ? [] : [position]))
  const isUndone = ended.every((each) => each && (isSuccess(each.result) || each.result === 'rolled-back'))
  const note = `${good.length} of ${names.length} run it`
  return { result: isUndone ? 'rolled-back' : 'failed', isChecked, without, note }
}

function resultOfAll(good: readonly Promoted[]): Result {
  const results = new Set(good.map(({ result }) => result))
  const [only] = results
  return results.size === 1 && only !== undefined ? only : 'updated'
}

async function writeAlone(
  ledger: Ledger,
  { databases: _, ...record }: SharedBegun['record'],
  { database, databaseIdentity, before: previousHash, result, reason: note }: Promoted
): Promise<LedgerAnswer<undefined>> {
  const begun = await ledger.begin({ ...record, database, databaseIdentity, previousHash })
  if (begun.kind === 'failed') return begun
  return ledger.end(begun.value.id, { result, isChecked: false, ...(note !== undefined && { note }) })
}
