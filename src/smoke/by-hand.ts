import { stringify } from 'lossless-json'
import { type ModuleHash, moduleHashToU256 } from '../module/hash.ts'
import { databasePath } from '../spacetimedb/database.ts'
import type { Check } from './check.ts'
import type { CheckPlace } from './place.ts'

/** Where a command is meant to be sent. */
export type ByHandPlace = Pick<CheckPlace, 'database' | 'expectedHash'> & {
  readonly server: Pick<CheckPlace['server'], 'url'>
}

/**
 * A command for a POSIX shell that asks what a check asks: `curl`, which prints the answer and its status, or
 * `spacetime subscribe`. A token is only in it as `$SPACETIMEDB_TOKEN`, and a header of a route that may be secret as a
 * variable of its name, `${X_API_KEY:?}`, which a shell asks for. `undefined` where one command can't do it.
 */
export function byHand(check: Check, place: ByHandPlace): string | undefined {
  const command = commandOf(check, place)
  // No argument of a process can hold a zero character.
  return command?.includes('\0') ? undefined : command
}

function commandOf(check: Check, place: ByHandPlace): string | undefined {
  const { wanted } = check
  const base = `${place.server.url}${databasePath(place.database)}`
  if ('http-route' in wanted) return route(check as Check<'http-route'>, base)
  const who = wanted.as === 'owner' ? asOwner : []
  if ('ping' in wanted) return curl([quote(`${place.server.url}/v1/ping`)])
  if ('served-hash' in wanted) return servedHash(who, base, wanted['served-hash'], place.expectedHash)
  if ('reducer' in wanted) return call(who, base, wanted.reducer, wanted.args)
  if ('procedure' in wanted) return call(who, base, wanted.procedure, wanted.args)
  if ('sql' in wanted) return sql(who, base, wanted.sql)
  if ('subscription' in wanted) return subscription(check as Check<'subscription'>, place, base)
  if ('log' in wanted) return curl([...who, quote(`${base}/logs?num_lines=1000`)])
  if ('metrics' in wanted) return metrics(place.server.url, wanted.metrics.reducer)
  if ('load' in wanted) return load(call(who, base, wanted.load, wanted.args), wanted.callers)
  return undefined
}

const asOwner = ['-H "Authorization: Bearer $SPACETIMEDB_TOKEN"'] as const

/** The status is printed by itself: the headers of an answer can hold a token. */
function curl(parts: readonly string[]): string {
  return ['curl -sS', String.raw`-w '\nHTTP %{http_code}\n'`, ...parts].join(' ')
}

function call(who: readonly string[], base: string, name: string, args: readonly unknown[]): string {
  const body = stringify(args) ?? '[]'
  const url = quote(`${base}/call/${encodeURIComponent(name)}`)
  return curl([...who, "-H 'Content-Type: application/json'", `--data-raw ${quote(body)}`, url])
}

function sql(who: readonly string[], base: string, statement: string): string {
  return curl([...who, "-H 'Content-Type: text/plain'", `--data-raw ${quote(statement)}`, quote(`${base}/sql`)])
}

/** The server states a hash in a form of its own, which is what to look for. */
function servedHash(
  who: readonly string[],
  base: string,
  wanted: string | true,
  expectedHash: ModuleHash | undefined
): string {
  const hash = wanted === true ? expectedHash : (wanted.toLowerCase() as ModuleHash)
  const question = sql(who, base, 'SELECT program_hash FROM st_module')
  return hash === undefined ? question : `${question} | grep -F ${quote(moduleHashToU256(hash))}`
}

/** Handlers are asked without a token, whoever asks. */
function route(check: Check<'http-route'>, base: string): string {
  const { method, headers, body, 'http-route': path } = check.wanted
  const hasType = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')
  return curl([
    ...(method === 'HEAD' ? ['--head -o /dev/null'] : method === 'GET' && body === undefined ? [] : [`-X ${method}`]),
    ...Object.entries(headers).map(([name, value]) => `-H ${header(name, value)}`),
    ...(body === undefined ? [] : [...(hasType ? [] : ["-H 'Content-Type:'"]), `--data-raw ${quote(body)}`]),
    '--globoff --path-as-is',
    quote(`${base}/route${path}`)
  ])
}

/** A header as a word of a POSIX shell. `NAME;` is one with no value. */
function header(name: string, value: string): string {
  if (value === '') return quote(`${name};`)
  return isSecretHeader(name) ? `${quote(`${name}: `)}"\${${variableOf(name)}:?}"` : quote(`${name}: ${value}`)
}

/** What headers that hold secrets are usually called. */
export function isSecretHeader(name: string): boolean {
  return /^((proxy-)?authorization|cookie)$|(^|[-_])(key|token|secret|password|signature|auth)$/i.test(name)
}

/** `x-api-key` is `X_API_KEY`. */
function variableOf(name: string): string {
  return name
    .toUpperCase()
    .replace(/\W/g, '_')
    .replace(/^(?=\d)/, '_')
}

function subscription({ wanted }: Check<'subscription'>, { server, database }: ByHandPlace, base: string): string {
  const queries = [wanted.subscription].flat().map(quote)
  const seconds = Math.ceil(wanted.timeout / 1000)
  const subscribe = (updates: number) =>
    [
      'spacetime subscribe --no-config',
      ...(wanted.as === 'anonymous' ? ['--anonymous'] : []),
      `--server ${quote(server.url)} --print-initial-update --num-updates ${updates} --timeout ${seconds}`,
      quote(database),
      ...queries
    ].join(' ')
  if (wanted.call === undefined) return subscribe(0)
  const { reducer, args } = wanted.call
  const who = wanted.as === 'owner' ? asOwner : []
  return `(sleep 2; ${call(who, base, reducer, args)}) & ${subscribe(1)}; wait`
}

function metrics(url: string, reducer: string | undefined): string {
  const lines = reducer === undefined ? "'^spacetime_'" : `-F ${quote(`reducer="${reducer}"`)}`
  return `curl -sS ${quote(`${url}/v1/metrics`)} | grep ${lines}`
}

/** One call of each caller, all at once. */
function load(one: string, callers: number): string {
  return `for caller in $(seq ${callers}); do ${one} & done; wait`
}

/** One word for a POSIX shell, whatever is in it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
