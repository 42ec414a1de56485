import { timeText } from '../../duration.ts'
import { messageOf } from '../../errors.ts'
import { ServerFailure } from '../../spacetimedb/server.ts'
import type { RunCheck } from '../place.ts'
import { serverFor, withinTry } from './within-try.ts'

/** The server answers. That nobody can be reached is what this check is for: it has failed then. */
export const runPing: RunCheck<'ping'> = (check, place, attempt) =>
  withinTry(place, attempt, async () => {
    const begin = place.clock.now()
    try {
      await serverFor(check, place).ping()
    } catch (failure) {
      if (!(failure instanceof ServerFailure)) throw failure
      return { kind: 'failed', expected: 'an answer', actual: messageOf(failure) }
    }
    return { kind: 'passed', detail: `answered in ${timeText(place.clock.now() - begin)}` }
  })
