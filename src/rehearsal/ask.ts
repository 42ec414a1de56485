import { orCancelled } from '../cancellation.ts'
import type { Clock } from '../clock.ts'
import { type Server, ServerFailure, type SqlAnswer } from '../spacetimedb/server.ts'

/** Asks one database by SQL until a deadline. */
export type Ask = (statement: string) => Promise<SqlAnswer | Unreadable>

/** The server has answered, with something that was not understood or is longer than what is read of an answer. */
export type Unreadable = { readonly kind: 'unreadable'; readonly reason: string }

/** Why there is nothing more to be had from a server: it gave no answer, time is over, or the job is cancelled. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
  readonly isCancelled: boolean

  constructor(message: string, isCancelled = false) {
    super(message)
    this.isCancelled = isCancelled
  }
}

/** What bounds the work with a database. */
export type Bounds = {
  readonly clock: Clock
  /** Milliseconds since the epoch. */
  readonly deadline: number
  /** What is said when it is over: a sentence. */
  readonly whenOver: string
  readonly cancelled: AbortSignal
}

/** The longest that one question may take, in milliseconds. */
const longestQuestion = 60_000

/** Throws `Stopped` when there is no answer. What the server says then is not in it: it may show rows. */
export function askUntil(server: Server, name: string, database: string, bounds: Bounds): Ask {
  return (statement) =>
    within(bounds, name, async (timeout) => {
      try {
        return await server.sql(database, statement, timeout)
      } catch (failure) {
        if (!(failure instanceof ServerFailure) || failure.kind !== 'unexpected-answer') throw failure
        return { kind: 'unreadable', reason: `${name}'s answer was ${notUnderstood}` }
      }
    })
}

/** Sends one request. Throws `Stopped` when it gets no answer, time is over, or the job is cancelled. */
export async function within<Answer>(
  { clock, deadline, whenOver, cancelled }: Bounds,
  name: string,
  send: (timeout: number) => Promise<Answer>
): Promise<Answer> {
  if (cancelled.aborted) throw cancellation()
  const left = deadline - clock.now()
  if (left <= 0) throw new Stopped(whenOver)
  try {
    const answer = await orCancelled(send(Math.min(left, longestQuestion)), cancelled)
    if (answer === 'cancelled') throw cancellation()
    return answer
  } catch (failure) {
    if (!(failure instanceof ServerFailure)) throw failure
    throw new Stopped(clock.now() >= deadline ? whenOver : `${name} gave no answer: ${failureTexts[failure.kind]}.`)
  }
}

function cancellation(): Stopped {
  return new Stopped('The job was cancelled.', true)
}

const notUnderstood = 'not understood, or too long'

const failureTexts: Readonly<Record<ServerFailure['kind'], string>> = {
  unreachable: 'it can not be reached',
  'timed-out': 'it took too long',
  tls: 'its certificate is not trusted',
  interrupted: 'the connection broke off',
  unauthorized: 'it does not accept the credential',
  forbidden: "it refuses the connection, or the module's `client_connected` does",
  missing: 'it has no such database',
  'rate-limited': 'it was asked too often',
  'server-error': 'it had an error of its own',
  'unexpected-answer': `its answer was ${notUnderstood}`
}
