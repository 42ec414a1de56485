import type { Clock } from '../../src/clock.ts'
import type { Schema } from '../../src/module/schema.ts'
import { type Check, type CheckKind, checkKinds } from '../../src/smoke/check.ts'
import { checksOf } from '../../src/smoke/check-of.ts'
import type { Finding } from '../../src/smoke/check-report.ts'
import { checkList } from '../../src/smoke/checks-schema.ts'
import type { Attempt, CheckPlace } from '../../src/smoke/place.ts'
import type { Runners } from '../../src/smoke/run-one.ts'
import type { LogLine, Server } from '../../src/spacetimedb/server.ts'
import { TurnedClock } from './load/turned-clock.ts'

export const emptySchema: Schema = {
  typespace: [],
  types: [],
  tables: [],
  reducers: [],
  procedures: [],
  views: [],
  httpRoutes: [],
  lifecycle: [],
  rowLevelSecurity: [],
  unknownParts: []
}

/** A clock that is turned by hand, as checks want one. */
export function turnedClock(): Clock & Pick<TurnedClock, 'turnUntil'> {
  const clock = new TurnedClock()
  return Object.assign(clock, { random: () => 0.5 })
}

/** A place without a server, of which only the log can be read. */
export function modelPlace(
  clock: Clock,
  others: Partial<CheckPlace> & { readonly log?: readonly LogLine[] } = {}
): CheckPlace {
  const { log = [], ...rest } = others
  const server = {
    url: 'http://127.0.0.1:3000',
    async *logs() {
      yield* log
    }
  } as unknown as Server
  return {
    server,
    anonymous: server,
    database: 'game',
    expectedHash: undefined,
    schema: emptySchema,
    since: { after: 0n, what: 'start' },
    isThrowAway: true,
    clock,
    cancelled: new AbortController().signal,
    ...rest
  }
}

/** Checks as a file would have them, which is not looked at for circles. */
export function checksFrom(written: readonly object[]): Check[] {
  return checksOf(checkList.parse(written).map((each) => ({ written: each, origin: { kind: 'default' } })))
}

/** Every kind of check is run by one function. */
export function runnersOf(run: (check: Check, attempt: Attempt) => Promise<Finding>): Runners {
  const entries = checkKinds.map((kind: CheckKind) => [
    kind,
    (check: Check, _: CheckPlace, attempt: Attempt) => run(check, attempt)
  ])
  return Object.fromEntries(entries) as Runners
}
