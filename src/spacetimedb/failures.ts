import { AnswerTooLong } from './answer-body.ts'
import { isServersOwn, startOf } from './answers.ts'
import { DeadlineExceeded, NoWebSocket } from './attempt.ts'
import type { Identity } from './identity.ts'
import { type FailureKind, ServerFailure } from './server.ts'
import type { Answer, NoAnswer } from './transport.ts'

/** What a failure is about, for its message. */
export type Context = {
  /** To be read after "could not": `plan an update of "counter"`. */
  readonly purpose: string
  readonly server: string
  /** The server runs the module's `client_connected` first, which may refuse. */
  readonly connects?: boolean | undefined
  /** The input that raises the time limit, where there is one. */
  readonly timeoutInput?: string | undefined
  /** Ours; `undefined` where no token was sent. */
  readonly identity: Identity | undefined
  readonly redact: (text: string) => string
}

/** Why there is no answer, as a message for somebody who doesn't know Node's error codes. */
export function failureWithoutAnswer(context: Context, { kind, cause }: NoAnswer): ServerFailure {
  const explained = explain(context, kind === 'lost', cause)
  return new ServerFailure(explained.kind, sentence(context, explained.problem), undefined, cause)
}

/** What an answer with a status that the call has no use for means. */
export function failureOf(context: Context, answer: Answer): ServerFailure {
  const { kind, problem } = explainStatus(context, answer)
  return new ServerFailure(kind, sentence(context, problem), answer.status)
}

/** An answer that has the right status and says something that can't be understood. */
export function unexpectedAnswer(context: Context, answer: Omit<Answer, 'headers'>, problem: string): ServerFailure {
  const start = answer.body === '' ? 'It was empty.' : `It starts with: ${startOf(context.redact(answer.body))}`
  return new ServerFailure('unexpected-answer', sentence(context, `${problem} ${start}`), answer.status)
}

/** What came of something that has no status: a connection that ended, a message that never came. */
export function failureOn(context: Context, kind: FailureKind, problem: string): ServerFailure {
  return new ServerFailure(kind, sentence(context, problem))
}

type Explanation = { readonly kind: FailureKind; readonly problem: string }

function sentence({ purpose, server, redact }: Context, problem: string): string {
  return redact(`Could not ${purpose} on ${server}: ${problem}`)
}

function explain(context: Context, wasSent: boolean, cause: unknown): Explanation {
  if (cause instanceof DeadlineExceeded) return explainDeadline(context, wasSent, cause.milliseconds)
  if (cause instanceof AnswerTooLong) return { kind: 'unexpected-answer', problem: `${cause.message}.` }
  if (cause instanceof NoWebSocket) {
    return { kind: 'unexpected-answer', problem: `it agrees to a WebSocket, but not properly: ${cause.message}.` }
  }
  const { code, message } = detailsOf(cause)
  const certificateProblem = certificateProblems[code]
  if (certificateProblem !== undefined) return { kind: 'tls', problem: `${certificateProblem} (${code}).${advice.ca}` }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL') || code.startsWith('CERT_')) {
    return { kind: 'tls', problem: `no TLS connection could be made (${code || message}).${advice.scheme(context)}` }
  }
  if (code.startsWith('HPE_')) {
    return { kind: 'unexpected-answer', problem: `the answer is not HTTP (${code}).${advice.scheme(context)}` }
  }
  if (wasSent) {
    return {
      kind: 'interrupted',
      problem: `the connection broke before the whole answer was there (${code || message}). The server or a proxy may have been restarted.`
    }
  }
  return { kind: 'unreachable', problem: explainUnreachable(context, code, message) }
}

function explainDeadline({ timeoutInput, server }: Context, wasSent: boolean, milliseconds: number): Explanation {
  if (!wasSent) {
    return {
      kind: 'unreachable',
      problem: `no connection to ${hostOf(server)} within ${seconds(milliseconds)}. Is the port right, and does a firewall let this machine through?`
    }
  }
  const more = timeoutInput === undefined ? '' : ` The input \`${timeoutInput}\` allows more time.`
  return { kind: 'timed-out', problem: `no whole answer within ${seconds(milliseconds)}.${more}` }
}

function explainUnreachable({ server }: Context, code: string, message: string): string {
  const host = hostOf(server)
  if (message.startsWith('tunneling socket could not be established')) {
    const why = message.replace(/^.*?, (statusCode|cause)=/, (_, what) => (what === 'statusCode' ? 'it answered ' : ''))
    return `the proxy of HTTPS_PROXY or HTTP_PROXY gave no connection to ${host} (${why}). Check the proxy, or except the host by NO_PROXY.`
  }
  switch (code) {
    case 'ECONNREFUSED':
      return `nothing listens at ${host} (connection refused). Is the server running, and is the port right?`
    case 'ENOTFOUND':
      return `there is no host ${host} (its name is not in DNS). Check the spelling of \`server\`.`
    case 'EAI_AGAIN':
      return `the name of ${host} could not be looked up (DNS gave no answer). Has this machine a network?`
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `there is no way to ${host} from this machine (${code}). Is it in a private network?`
    case 'ETIMEDOUT':
      return `${host} did not answer the attempt to connect. Is the port right, and does a firewall let this machine through?`
    default:
      return `no connection to ${host} (${code || message}). Is it the right address, and http or https as the server speaks it?`
  }
}

const certificateProblems: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  CERT_NOT_YET_VALID: "the server's certificate is not valid yet",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "the server's certificate comes from an authority that this machine does not know",
  UNABLE_TO_GET_ISSUER_CERT: "the server's certificate comes from an authority that this machine does not know",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the server's certificate comes from an authority that this machine does not know",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "the server's certificate can't be verified: its authority is unknown, or the server does not send the whole chain",
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another host name",
  CERT_REVOKED: "the server's certificate was revoked"
}

const advice = {
  ca: ' Nothing was sent. For an authority of your own, name its certificate file (PEM) in the environment variable NODE_EXTRA_CA_CERTS of the job.',
  scheme: ({ server }: Context) =>
    server.startsWith('https:')
      ? ' Perhaps the server speaks plain http there.'
      : ' Perhaps the server speaks https there.'
}

function explainStatus(context: Context, answer: Answer): Explanation {
  const { status } = answer
  const text = startOf(context.redact(answer.body))
  const says = text === '' ? 'without a reason.' : `"${text}".`
  switch (status) {
    case 401:
      return { kind: 'unauthorized', problem: explain401(context, answer, says) }
    case 403:
      if (!isServersOwn(answer)) return { kind: 'unexpected-answer', problem: proxyForbids(says) }
      return { kind: 'forbidden', problem: explain403(context, says) }
    case 404:
      return { kind: 'missing', problem: `it is not there (404): ${says}` }
    case 413:
      return {
        kind: 'unexpected-answer',
        problem: `a proxy in front of the server takes no request of this size (413): ${says} Raise its limit (nginx: client_max_body_size).`
      }
    case 429:
      return { kind: 'rate-limited', problem: `too many requests (429): ${says} ${whenAgain(answer)}` }
    default:
      if (status >= 300 && status < 400) return explainRedirect(answer)
      if (status >= 500)
        return { kind: 'server-error', problem: `the server, or a proxy before it, failed (${status}): ${says}` }
      return { kind: 'unexpected-answer', problem: `the answer has status ${status}: ${says} ${isItSpacetimeDb}` }
  }
}

function explain401({ identity }: Context, answer: Answer, says: string): string {
  if (identity === undefined) return `it needs a token, and none was given (401): ${says}`
  // To a token that it refuses, the server answers before it adds the headers that mark its answers.
  if (isServersOwn(answer)) return `it is not allowed to this token, whose identity is ${identity} (401): ${says}`
  return `the token was refused (401): ${says} It has to come from this server, or from an OIDC issuer that the server can reach, and must not have expired.`
}

function proxyForbids(says: string): string {
  return `something before the server forbids it (403): ${says} Let a proxy pass the paths under /v1/database/.`
}

function explain403({ identity, connects }: Context, says: string): string {
  const whose = identity === undefined ? 'nobody, as no token was given' : `this token, whose identity is ${identity}`
  if (connects) {
    return `the module's \`client_connected\` refused ${whose} (403): ${says} A module that lets only some clients in has to let the deploying identity in too.`
  }
  return `it is not allowed to ${whose} (403): ${says} Only the owner of a database may do this: use the owner's token.`
}

function whenAgain({ headers }: Answer): string {
  const wait = headers['retry-after']
  return wait === undefined
    ? 'Try again later.'
    : `It may be tried again ${/\D/.test(wait) ? `after ${wait}` : `in ${wait} s`}.`
}

function explainRedirect({ status, headers }: Answer): Explanation {
  const target = headers.location === undefined ? 'another address' : headers.location.replace(/[?#].*$/s, '')
  return {
    kind: 'unexpected-answer',
    problem: `the server redirects to ${target} (${status}), which is not followed with a token. Give the final address as \`server\`.`
  }
}

/** What to ask somebody whose server answers like another kind of server. */
export const isItSpacetimeDb = 'Is this a SpacetimeDB server?'

/** By form, not by class: an error of Node's own is of another class where code runs in a context of its own. */
function detailsOf(cause: unknown): { readonly code: string; readonly message: string } {
  if (typeof cause !== 'object' || cause === null) return { code: '', message: String(cause) }
  const { code, message, errors } = cause as { code?: unknown; message?: unknown; errors?: unknown }
  // Where several addresses were tried, the message is empty and the reasons are inside.
  const reasons = Array.isArray(errors) ? errors.map((error) => detailsOf(error).message).join(', ') : ''
  return { code: typeof code === 'string' ? code : '', message: reasons || String(message ?? '') }
}

function hostOf(server: string): string {
  const { hostname, port, protocol } = new URL(server)
  return `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`
}

function seconds(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds} ms` : `${Math.round(milliseconds / 100) / 10} s`
}
