import * as z from 'zod'
import { exchange, hostOf, type Network } from '../../spacetimedb/network.ts'
import type { Secrets } from '../../spacetimedb/secrets.ts'
import { isLoopback } from '../../spacetimedb/server-url.ts'
import type { Answer, Exchange } from '../../spacetimedb/transport.ts'
import { type Challenge, parseChallenge } from './challenge.ts'
import { RegistryFailure } from './failures.ts'

/** Who speaks to a registry. The user name may be any where the password is a token of GitHub. */
export type Credential = { readonly username: string; readonly password: string }

/** What is to be done, as registries name it (https://distribution.github.io/distribution/spec/auth/scope/). */
export type Scope = { readonly repository: string; readonly access: 'pull' | 'pull,push' }

/** Answers a registry's challenges. What it has learned once is sent with all that follows. */
export type Authorization = {
  /** The `Authorization` of a request; `undefined` as long as the registry has not asked for one. */
  header(scope: Scope): string | undefined
  /**
   * Deals with an answer of 401. Throws a `RegistryFailure` when the credential would have to be sent where everybody
   * on the way could read it.
   */
  meet(answer: Answer, scope: Scope): Promise<Met>
}

export type Met =
  /** The request is to be sent again. */
  | { readonly kind: 'answered' }
  /** There is nothing better to send than what was sent. */
  | { readonly kind: 'unanswered' }
  /** The realm that gives tokens gave none. */
  | { readonly kind: 'no-token'; readonly url: string; readonly result: Exchange }

export type AuthorizationOptions = {
  /** Of the registry's API, without a path. */
  readonly base: URL
  readonly credential: Credential | undefined
  readonly network: Network
  readonly secrets: Secrets
}

/**
 * The authorization of one registry, Bearer with a token for each scope
 * (https://distribution.github.io/distribution/spec/auth/token/) or Basic.
 */
export function authorizationFor(options: AuthorizationOptions): Authorization {
  const { credential, secrets } = options
  const basic = credential && basicHeader(credential)
  if (credential && basic) {
    secrets.add(credential.password)
    secrets.add(basic.slice('Basic '.length))
  }
  let isBasic = false
  const tokens = new Map<string, string>()
  return {
    header: (scope) => {
      const token = tokens.get(nameOf(scope))
      return isBasic ? basic : token && `Bearer ${token}`
    },
    meet: async (answer, scope) => {
      const challenge = parseChallenge(answer.headers['www-authenticate'])
      if (challenge?.scheme === 'basic') {
        const isNew = basic !== undefined && !isBasic
        isBasic ||= isNew
        return { kind: isNew ? 'answered' : 'unanswered' }
      }
      if (challenge === undefined) return { kind: 'unanswered' }
      const asked = await askForToken(challenge, scope, options, basic)
      if (asked.kind === 'no-token') return asked
      secrets.add(asked.token)
      tokens.set(nameOf(scope), asked.token)
      return { kind: 'answered' }
    }
  }
}

function basicHeader({ username, password }: Credential): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function nameOf({ repository, access }: Scope): string {
  return `repository:${repository}:${access}`
}

type Bearer = Extract<Challenge, { scheme: 'bearer' }>
type Token = { readonly kind: 'token'; readonly token: string } | Extract<Met, { kind: 'no-token' }>

async function askForToken(
  challenge: Bearer,
  scope: Scope,
  options: AuthorizationOptions,
  basic: string | undefined
): Promise<Token> {
  const url = tokenUrl(challenge, scope, options)
  const result = await exchange(options.network, {
    method: 'GET',
    url,
    headers: { accept: 'application/json', ...(basic && { authorization: basic }) },
    timeout: 30_000,
    longestAnswer: 1 << 20,
    mayShareConnection: false
  })
  if (result.kind !== 'answered' || result.answer.status !== 200) return { kind: 'no-token', url, result }
  const token = tokenIn(result.answer.body)
  if (token === undefined)
    throw new RegistryFailure(`${hostOf(url)} answered without a token for ${options.base.host}.`)
  return { kind: 'token', token }
}

/**
 * The realm is whatever the registry says, so it gets the credential by https only; by http when both are this
 * machine.
 */
function tokenUrl({ realm, service, scopes }: Bearer, scope: Scope, { base }: AuthorizationOptions): string {
  const url = URL.canParse(realm) ? new URL(realm) : undefined
  const mayBePlain = url !== undefined && isLoopback(url) && isLoopback(base)
  if (url === undefined || !(url.protocol === 'https:' || (url.protocol === 'http:' && mayBePlain))) {
    throw new RegistryFailure(
      `${base.host} sends for tokens to ${url === undefined ? 'what is no address' : `${url.protocol}//${url.host}`}; the ` +
        'credential is sent by https alone.'
    )
  }
  if (service !== undefined) url.searchParams.set('service', service)
  // A registry that challenges for `pull` gives `pull,push` as well, when asked: one token for all that a push needs.
  // One that calls the repository by another name is asked for that too.
  const own = nameOf(scope)
  const others = scopes.filter((each) => !each.startsWith(`repository:${scope.repository}:`))
  for (const each of [own, ...others]) url.searchParams.append('scope', each)
  return url.href
}

function tokenIn(body: string): string | undefined {
  try {
    const { token, access_token: other } = tokenShape.parse(JSON.parse(body))
    return token ?? other
  } catch {
    return undefined
  }
}

const text = z
  .string()
  .regex(/^[\x21-\x7e]+$/)
  .optional()
const tokenShape = z.object({ token: text, access_token: text })
