import * as z from 'zod'

/** What is read of a token: who it speaks for, and until when. */
export type Claims = {
  readonly issuer: string | undefined
  readonly subject: string | undefined
  /** Milliseconds since the epoch; a token without it never expires. */
  readonly expires: number | undefined
}

/**
 * The claims of a JSON Web Token, read offline: its signature is the server's to check. `undefined` when the text is
 * no such token (https://www.rfc-editor.org/rfc/rfc7519).
 */
export function readClaims(token: string): Claims | undefined {
  const [header, payload, signature, ...more] = token.split('.')
  if (payload === undefined || !signature || more.length > 0 || jsonIn(header) === undefined) return undefined
  const claims = payloadAnswer.safeParse(jsonIn(payload)).data
  if (claims === undefined) return undefined
  return {
    issuer: claims.iss || undefined,
    subject: claims.sub || undefined,
    expires: claims.exp == null ? undefined : claims.exp * 1000
  }
}

const payloadAnswer = z.object({
  iss: z.string().optional(),
  sub: z.string().optional(),
  exp: z.number().nullish()
})

function jsonIn(part: string | undefined): unknown {
  if (part === undefined || !/^[\w-]+$/.test(part)) return undefined
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
