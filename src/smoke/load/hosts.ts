/**
 * Whether a load may be put on a server: one that was started for the checks, one on this machine, or one that is
 * named. `allowed` holds hosts (`staging.example.com`, any port) and hosts with a port (`staging.example.com:3000`,
 * that port alone), which are compared whole: there are no wildcards, and a domain does not stand for what is below it.
 */
export function isAllowedLoadHost(url: string, allowed: readonly string[], isThrowAway: boolean): boolean {
  if (isThrowAway) return true
  const server = addressIn(url)
  if (server === undefined) return false
  return isLoopback(server.host) || allowed.some((entry) => names(entry, server))
}

type Address = { readonly host: string; readonly port: number }

function addressIn(url: string): Address | undefined {
  if (!URL.canParse(url)) return undefined
  const { protocol, hostname, port } = new URL(url)
  if (protocol !== 'http:' && protocol !== 'https:') return undefined
  return { host: withoutRoot(hostname), port: Number(port || (protocol === 'https:' ? 443 : 80)) }
}

function names(entry: string, server: Address): boolean {
  const [, host, port] = /^(\[[^\]]+\]|[^:[\]/?#@\\\s]+)(?::(\d{1,5}))?$/.exec(entry.trim()) ?? []
  if (host === undefined || !URL.canParse(`http://${host}/`)) return false
  // As the URL has it: in lower case, without escapes, addresses in their usual form.
  const named = withoutRoot(new URL(`http://${host}/`).hostname)
  return named === server.host && (port === undefined || Number(port) === server.port)
}

function withoutRoot(hostname: string): string {
  return hostname.replace(/\.$/, '')
}

/** `hostname` as a URL has it: `127.1` and `0x7f000001` are `127.0.0.1` there already. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || isLoopbackV4(hostname) || isMappedLoopback(hostname)
}

function isLoopbackV4(hostname: string): boolean {
  return /^127(\.\d+){3}$/.test(hostname)
}

/** An address of 127.0.0.0/8 in an IPv6 socket: `[::ffff:7f00:1]`. */
function isMappedLoopback(hostname: string): boolean {
  return /^\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\]$/.test(hostname)
}
