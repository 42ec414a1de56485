import * as z from 'zod'
import { ConfigurationError } from '../../errors.ts'
import { parseRetryAfter, type Retry } from '../../retry.ts'
import { hostOf, passingProblem, reasonOf } from '../../spacetimedb/network.ts'
import type { Exchange, Stream } from '../../spacetimedb/transport.ts'

/** What goes wrong between here and a registry, and that no input mends. The message is for the user. */
export class RegistryFailure extends Error {
  override readonly name = 'RegistryFailure'
}

/** A failure of something, with its reason as a sentence. */
export function failureOf(asked: Pick<Asked, 'action' | 'name'>, reason: string): RegistryFailure {
  return new RegistryFailure(`${beginning(asked)}${reason}`)
}

function beginning({ action, name }: Pick<Asked, 'action' | 'name'>): string {
  return `${action === 'push' ? 'Pushing' : 'Fetching'} ${name} failed: `
}

/** What came back, and from whom: the registry, what gives its tokens, or what stores its blobs. */
export type Outcome = {
  readonly url: string
  readonly from: 'registry' | 'token realm' | 'storage'
  readonly result: Exchange | Stream
}

/** What was asked for, for a message. */
export type Asked = {
  readonly action: 'push' | 'fetch'
  /** `ghcr.io/owner/name:tag` */
  readonly name: string
  readonly hasCredential: boolean
  readonly redact: (text: string) => string
}

/** One try of something; `retry` where another may go better. */
export type Attempted<Value> = { readonly kind: 'done'; readonly value: Value } | Failed
export type Failed = { readonly kind: 'failed'; readonly error: Error; readonly retry?: Retry }

/** A try that an outcome has ended; `now` in milliseconds since the epoch. */
export function failedBy(outcome: Outcome, asked: Asked, now: number): Failed {
  const error = errorOf(outcome, asked)
  const retry = retryAfter(outcome, now)
  return { kind: 'failed', error, ...(retry !== undefined && { retry }) }
}

function retryAfter({ url, result }: Outcome, now: number): Retry | undefined {
  const host = hostOf(url)
  const problem = passingProblem(result, host)
  if (!('answer' in result)) return problem
  const { status, headers } = result.answer
  if (problem === undefined && status !== 429) return undefined
  const atLeast = parseRetryAfter(headers['retry-after'], now)
  return { reason: `${host} answered ${status}`, ...(atLeast !== undefined && { atLeast }) }
}

function errorOf({ url, from, result }: Outcome, asked: Asked): Error {
  const host = hostOf(url)
  if (!('answer' in result)) return failureOf(asked, `${reasonOf(result, host)}.`)
  const { status, body } = result.answer
  const reason = saidIn(body)
  const said = reason === undefined ? '' : `: ${asked.redact(reason)}`
  const answered = `${beginning(asked)}${host} answered ${status}${said}.`
  if (status === 429) return new RegistryFailure(`${answered} It takes no more requests for a while.${rateCure(asked)}`)
  if (from === 'storage') return new RegistryFailure(answered)
  if (status === 401 || status === 403)
    return new ConfigurationError(`${answered} ${cureOfDenial(from, status, asked)}`)
  if (status === 404 && asked.action === 'push') {
    return new ConfigurationError(
      `${answered} Is there such a repository, and may this user see it? Some registries (Amazon ECR, Harbor, Google Artifact ` +
        'Registry) make none by themselves: create it, or its project, first.'
    )
  }
  if (status === 413) {
    return new ConfigurationError(
      `${answered} The module is larger than the registry, or a proxy before it, lets through.`
    )
  }
  if (status === 405 && asked.action === 'push') {
    return new ConfigurationError(
      `${answered} It takes nothing at all: is it read-only, or a mirror of another registry?`
    )
  }
  return new RegistryFailure(answered)
}

function cureOfDenial(from: Outcome['from'], status: number, { action, name, hasCredential }: Asked): string {
  if (!hasCredential) {
    return `Nobody is logged in: give \`username\` and \`password\` for ${hostIn(name)}.${permissionOf(action, name)}`
  }
  if (from === 'token realm' && status === 401) {
    return `It does not know this \`username\` and \`password\`: mistyped, expired, or of another registry?${permissionOf(action, name)}`
  }
  const may = `The login may not ${action === 'push' ? 'write to' : 'read from'} it.`
  return `${may}${permissionOf(action, name)}`
}

/** https://docs.github.com/packages/managing-github-packages-using-github-actions-workflows */
function permissionOf(action: Asked['action'], name: string): string {
  const host = hostIn(name)
  if (host === 'ghcr.io') {
    const permission = action === 'push' ? 'packages: write' : 'packages: read'
    return (
      ` The job needs \`permissions: ${permission}\`; a package that another repository has made must also give this one ` +
      'access (its settings, "Manage Actions access").'
    )
  }
  if (host !== 'docker.io' || action === 'fetch') return ''
  return ' At Docker Hub the password is an access token with the permission "Read & Write", and its user a member of the owner.'
}

function rateCure({ name, hasCredential }: Asked): string {
  return hasCredential ? '' : ` With a login for ${hostIn(name)} more are allowed.`
}

function hostIn(name: string): string {
  return name.slice(0, name.indexOf('/'))
}

/**
 * The first error in an answer's body, with its code, in one line of at most 300 characters
 * (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes).
 */
export function saidIn(body: string): string | undefined {
  const first = errorsIn(body)?.errors[0]
  if (first === undefined) return undefined
  const parts = [first.code, first.message].filter((part) => part !== undefined && part !== '')
  const line = parts
    .join(': ')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .replace(/\.$/, '')
  return line === '' ? undefined : line.slice(0, 300)
}

function errorsIn(body: string): z.output<typeof errorsShape> | undefined {
  try {
    return errorsShape.safeParse(JSON.parse(body)).data
  } catch {
    return undefined
  }
}

const errorsShape = z.object({
  errors: z.array(z.object({ code: z.string().optional(), message: z.string().optional() }))
})
