import { ConfigurationError } from '../errors.ts'

export type ServerAddress = {
  /** Without a trailing slash, as `connect` wants it. */
  readonly url: string
  /** What is allowed but should be known. */
  readonly warnings: readonly string[]
}

export type AddressPolicy = {
  /** Whether a token will be sent there. */
  readonly withToken: boolean
  /** The input `allow-insecure`. */
  readonly allowInsecure: boolean
}

/** The names that the `spacetime` CLI has for servers. */
const serverNicknames: Readonly<Record<string, string>> = {
  maincloud: 'https://maincloud.spacetimedb.com',
  local: 'http://127.0.0.1:3000'
}

/**
 * The server that the input `server` means: a nickname, or an `http:` or `https:` URL. Throws a `ConfigurationError`
 * for anything else, and for a token over plain http to another machine unless that is allowed. No message repeats a
 * password or a query.
 */
export function serverAddress(input: string, policy: AddressPolicy): ServerAddress {
  const url = parseServerUrl(input)
  return { url: textOf(url), warnings: insecurityWarnings(url, policy) }
}

function parseServerUrl(input: string): URL {
  const text = input.trim()
  const nickname = Object.hasOwn(serverNicknames, text.toLowerCase()) ? serverNicknames[text.toLowerCase()] : undefined
  if (nickname !== undefined) return new URL(nickname)
  if (text === '') throw new ConfigurationError(`The input \`server\` is empty. ${allowed}`)
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) throw withoutScheme(text)
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.hostname === '') {
    throw new ConfigurationError(`The input \`server\`${quoted(text)} is not a URL. ${allowed}`)
  }
  insistOnPlainUrl(url)
  return url
}

function insistOnPlainUrl(url: URL): void {
  if (url.username !== '' || url.password !== '') {
    throw new ConfigurationError(
      `The input \`server\` has a user name or password in it (${bare(url)}). Remove it: tokens go into the input \`token\`.`
    )
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new ConfigurationError(`The input \`server\` (${bare(url)}) is not http or https. ${allowed}`)
  }
  if (url.search !== '' || url.hash !== '') {
    throw new ConfigurationError(
      `The input \`server\` has a query or fragment in it, what begins with ? or #. Give only the address: ${textOf(url)}`
    )
  }
}

function withoutScheme(text: string): ConfigurationError {
  const candidate = `https://${text}`
  if (!/^[\w.-]+(:\d+)?(\/|$)/.test(text) || !URL.canParse(candidate)) {
    return new ConfigurationError(`The input \`server\`${quoted(text)} is not a URL. ${allowed}`)
  }
  const url = new URL(candidate)
  if (isLoopback(url)) url.protocol = 'http:'
  return new ConfigurationError(
    `The input \`server\`${quoted(text)} has no scheme. Did you mean ${textOf(url)}? ${allowed}`
  )
}

const allowed = `Give a URL such as https://example.com, or ${Object.keys(serverNicknames).join(' or ')}.`

/** The text, unless it could hold a password or a token. */
function quoted(text: string): string {
  return /[@?#]/.test(text) ? '' : ` "${text.slice(0, 100)}"`
}

function bare(url: URL): string {
  return `${url.protocol}//${url.host}`
}

function textOf(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`
}

function insecurityWarnings(url: URL, { withToken, allowInsecure }: AddressPolicy): readonly string[] {
  if (url.protocol === 'https:' || isLoopback(url)) return []
  if (withToken && !allowInsecure) {
    throw new ConfigurationError(
      `The token would be sent to ${bare(url)} unencrypted, for everybody on the way to read. Use https, or set \`allow-insecure: true\` if the network between is yours alone.`
    )
  }
  return [`${bare(url)} is spoken to without encryption: everybody on the way can read and change what is sent.`]
}

/** Whether an address is one of this machine alone. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}
