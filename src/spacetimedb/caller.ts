import { callQuestion, type FunctionCall, judgeCall, objectionTo } from './call.ts'
import type { KeptConnection } from './kept-connection.ts'
import type { Limits } from './limits.ts'
import type { Caller } from './server.ts'
import type { Session } from './session.ts'
import type { Answer, Exchange } from './transport.ts'

/** Calls one function again and again on a connection; what can be prepared for all of the calls is. */
export function openCaller(
  session: Session,
  limits: Limits,
  connection: KeptConnection,
  call: Omit<FunctionCall, 'timeout'>
): Caller {
  const question = callQuestion(limits, { ...call, timeout: undefined })
  const { path, body, contentType } = question
  const tooLong = objectionTo(body)
  let newcomer: Readonly<Record<string, string>> = {}

  /** Whoever sends no token is somebody new each time; so the first one that is given is kept. */
  function takeToken({ headers }: Answer): void {
    const token = headers['spacetime-identity-token']
    if (session.identity !== undefined || newcomer.authorization !== undefined || token === undefined) return
    session.keepSecret(String(token))
    newcomer = { authorization: `Bearer ${token}` }
  }

  async function send(timeout: number): Promise<Exchange> {
    const who = session.identity === undefined ? newcomer : await session.authorization()
    return connection.post({ path, body, timeout, headers: { 'content-type': contentType, ...who } })
  }

  return {
    call: async (timeout) => {
      if (tooLong !== undefined) return tooLong
      const exchange = await send(timeout)
      if (exchange.kind !== 'answered')
        throw session.unanswered({ ...question, timeout, timeoutInput: undefined }, exchange)
      takeToken(exchange.answer)
      return judgeCall(session, question, call.database, exchange.answer)
    },
    close: () => connection.close()
  }
}
