import { systemClock } from '../../../src/clock.ts'
import type { Check, CheckKind } from '../../../src/smoke/check.ts'
import type { Finding } from '../../../src/smoke/check-report.ts'
import { checksSchema } from '../../../src/smoke/checks-schema.ts'
import type { CheckPlace, RunCheck } from '../../../src/smoke/place.ts'
import { connect } from '../../../src/spacetimedb/client.ts'
import { tokenCredential } from '../../../src/spacetimedb/credential.ts'
import type { World } from '../../server/world.ts'

/** A check as it is when its file was read: what was left out is filled in. */
export function checkOf<Kind extends CheckKind>(kind: Kind, written: Readonly<Record<string, unknown>>): Check<Kind> {
  const [wanted] = checksSchema.parse({ checks: [written] }).checks
  if (wanted === undefined) throw new Error('the file has no check')
  const { writes, name = kind } = wanted
  return { kind, name, origin: { kind: 'default' }, needs: [], writes, wanted } as unknown as Check<Kind>
}

/** A database as checks see it; `url` may be that of a proxy before the server. */
export async function placeOf(
  world: World,
  database: string,
  { url = world.url, ...others }: Partial<CheckPlace> & { readonly url?: string } = {}
): Promise<CheckPlace> {
  const patience = { attempts: 3, firstDelay: 20 }
  return {
    server: connect({ url, credential: tokenCredential(world.owner.token), patience }),
    anonymous: connect({ url, patience }),
    database,
    expectedHash: undefined,
    schema: await world.owner.client.schema(database),
    since: { after: 0n, what: 'start' },
    isThrowAway: true,
    clock: systemClock,
    cancelled: new AbortController().signal,
    ...others
  }
}

/** One try of a check, as it is run in a job: its signal ends it when the time is over, or the job is cancelled. */
export async function tryOnce<Kind extends CheckKind>(
  run: RunCheck<Kind>,
  check: Check<Kind>,
  place: CheckPlace
): Promise<Finding> {
  const { timeout } = check.wanted
  const signal = AbortSignal.any([AbortSignal.timeout(timeout), place.cancelled])
  return run(check, place, { timeout, signal })
}
