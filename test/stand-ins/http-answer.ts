import type { IncomingHttpHeaders } from 'node:http'

/** A request to a host that a test stands in for. */
export type HostRequest = {
  readonly method: string
  readonly host: string
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  /** Where one was sent. */
  readonly body?: Buffer
}

export type HostAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** What answers for a host; `undefined` for what it has no answer to. */
export type Host = (request: HostRequest) => HostAnswer | undefined

export function jsonAnswer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): HostAnswer {
  const type = { 'content-type': 'application/json; charset=utf-8' }
  return { status, headers: { ...type, ...headers }, body: Buffer.from(JSON.stringify(body)) }
}

export function redirect(location: string): HostAnswer {
  return { status: 302, headers: { location, 'content-type': 'text/html; charset=utf-8' }, body: Buffer.alloc(0) }
}

/** GitHub's answer to what is not there, or not shown. */
export function gitHubNotFound(): HostAnswer {
  return jsonAnswer(404, { message: 'Not Found', documentation_url: 'https://docs.github.com/rest', status: '404' })
}

/** A list's page that a query asks for (`per_page`, 30 and at most 100; `page`), and the `link` header to others. */
export function pageOf<Item>(items: readonly Item[], url: URL): { items: Item[]; headers: Record<string, string> } {
  const size = Math.min(Number(url.searchParams.get('per_page') ?? 30), 100)
  const page = Number(url.searchParams.get('page') ?? 1)
  const last = Math.max(1, Math.ceil(items.length / size))
  const links = [
    ...(page < last ? [link(url, page + 1, 'next'), link(url, last, 'last')] : []),
    ...(page > 1 ? [link(url, 1, 'first'), link(url, page - 1, 'prev')] : [])
  ]
  return {
    items: items.slice((page - 1) * size, page * size),
    headers: links.length > 0 ? { link: links.join(', ') } : {}
  }
}

function link(url: URL, page: number, relation: string): string {
  const target = new URL(url)
  target.searchParams.set('page', String(page))
  return `<${target.href}>; rel="${relation}"`
}
