import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { warn } from '../src/action/annotations.ts'
import type { CheckInputs } from '../src/action/check-inputs.ts'
import { type Connection, connectAsNobody } from '../src/action/connection.ts'
import { messageOf } from '../src/errors.ts'
import type { Narrator } from '../src/journal.ts'
import { describeOnce } from '../src/module/describe-once.ts'
import type { Rehearsal, RehearsalOutcome, RehearsalRequest } from '../src/rehearsal/rehearsal.ts'
import { rehearse } from '../src/rehearsal/rehearse.ts'
import { rehearsalJson } from '../src/rehearsal/report-json.ts'
import { stages } from '../src/rehearsal/summary.ts'
import type { Checks } from '../src/smoke/check.ts'
import { defaultChecks } from '../src/smoke/default-checks.ts'
import { runChecks } from '../src/smoke/run-checks.ts'
import { insistOnRunnable, tellCheck } from './checking.ts'
import { deployTools, type ReleasingStep } from './releasing.ts'

/** Where a rehearsal takes place, and by whose checks. */
export type RehearsalSetting = {
  /** The action's name. */
  readonly action: string
  /** To a server that is thrown away. */
  readonly connection: Connection
  readonly step: ReleasingStep
  /** `undefined` where nobody wrote any. */
  readonly written: Checks | undefined
  readonly allowed: Pick<CheckInputs, 'allowWrites' | 'allowedLoadHosts'>
  /** Told what happens; the step's log, with its warnings, without it. */
  readonly narrator?: Narrator
}

/**
 * Rehearses a release. Throws a `ConfigurationError` when it is known before that
 * checks can't be run as they are written.
 */
export async function rehearseOn(
  { action, connection, step, written, allowed, narrator }: RehearsalSetting,
  rehearsable: Omit<RehearsalRequest, 'checks'>
): Promise<Rehearsal> {
  const { module, database } = rehearsable
  const { server } = connection
  const describe = describeOnce()
  const expectedHash = module.hash
  const placeOfNew = async () => ({ server, database, schema: await describe(module), expectedHash, isThrowAway: true })
  const objections = written === undefined ? [] : insistOnRunnable(written, await placeOfNew(), allowed, step)
  return rehearse(
    { ...rehearsable, checks: written, objections },
    {
      ...deployTools(action, connection, step, () => {}),
      ...(narrator && { narrator }),
      describe,
      anonymous: connectAsNobody(server.url),
      runChecks,
      // Any hash will do: which one has to be live the rehearsal knows.
      defaultChecks: (schema) => defaultChecks(schema, expectedHash),
      onReport: tellCheck
    }
  )
}

/** A rehearsal that did not pass: the title and the text of the step's error, which names the action. */
export function failureOfRehearsal(
  action: string,
  end: Extract<RehearsalOutcome, { kind: 'failed' | 'cancelled' }>
): { readonly title: string; readonly message: string } {
  const stage = stages[end.stage]
  if (end.kind === 'cancelled') {
    return { title: `${action}: cancelled`, message: `The job was cancelled during the rehearsal, at: ${stage}.` }
  }
  const title = end.isConfiguration ? `${action}: wrong configuration` : `${action}: the rehearsal failed`
  return { title, message: `At ${stage}: ${end.reason}` }
}

/** Writes the report as JSON into a folder, and answers its path; `undefined` when that could not be, which is warned of. */
export async function writeRehearsal(rehearsal: Rehearsal, folder: string): Promise<string | undefined> {
  const path = join(folder, 'rehearsal.json')
  try {
    await writeFile(path, rehearsalJson(rehearsal))
    return path
  } catch (error) {
    warn('No report', `The report of the rehearsal could not be written: ${messageOf(error)}`)
    return undefined
  }
}
