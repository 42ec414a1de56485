import type { IncomingMessage } from 'node:http'
import { messageOf } from '../../src/errors.ts'
import type { Answer, Request } from './exchange.ts'
import { HttpError } from './http-error.ts'
import { BadProgram } from './program.ts'
import { type Bearer, TokenRefused, type Tokens } from './tokens.ts'

/** What a request is for. */
export function addressOf({ url = '/' }: IncomingMessage): Pick<Request, 'path' | 'query'> {
  const { pathname, searchParams } = new URL(url, 'http://127.0.0.1')
  const [version, ...path] = pathname
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent)
  return { path: version === 'v1' ? path : ['', ...path], query: searchParams }
}

/** Who sends a request with this header: whoever sends no token is somebody new. Throws HttpError and TokenRefused. */
export async function bearerOf(tokens: Tokens, authorization: string | undefined): Promise<Bearer> {
  if (authorization === undefined) return tokens.issue()
  const [, token] = /^Bearer (.+)$/i.exec(authorization) ?? []
  if (token === undefined) throw new HttpError(400, 'Authorization is invalid: malformed token')
  return tokens.check(token)
}

/** How a request is answered that could not be done. */
export function answerOf(error: unknown): Answer {
  if (error instanceof HttpError) {
    const { status, message, contentType } = error
    return { status, body: message, ...(message !== '' && { contentType }) }
  }
  const contentType = 'text/plain; charset=utf-8'
  if (error instanceof BadProgram) return { status: 500, contentType, body: error.message }
  if (error instanceof TokenRefused) return { status: 401, contentType, body: error.message }
  return { status: 500, contentType, body: `the embedded server failed: ${messageOf(error)}` }
}
