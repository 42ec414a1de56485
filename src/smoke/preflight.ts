import type { ModuleHash } from '../module/hash.ts'
import type { Schema } from '../module/schema.ts'
import { inOneLine } from '../one-line.ts'
import type { Server } from '../spacetimedb/server.ts'
import { argumentObjections } from './argument-fit.ts'
import type { Check } from './check.ts'
import { knownNames } from './did-you-mean.ts'
import { isAllowedLoadHost } from './load/hosts.ts'
import { tablesIn } from './tables-in.ts'

/** What checks are going to be run against, and what the user has allowed. */
export type Circumstances = {
  readonly server: Pick<Server, 'url'>
  readonly database: string
  readonly schema: Schema
  readonly expectedHash: ModuleHash | undefined
  readonly isThrowAway: boolean
  /** The input `allow-writes`. */
  readonly allowWrites: boolean
  /** The input `allowed-load-hosts`. */
  readonly allowedLoadHosts: readonly string[]
}

/** A reason why a check would be wrong to run, or could not pass, and what to do about it. */
export type Objection = { readonly check: Check; readonly reason: string }

/** What can be said against checks before anything is sent. */
export function objections(checks: readonly Check[], circumstances: Circumstances): readonly Objection[] {
  return checks.flatMap((check) =>
    [...permissionObjections(check, circumstances), ...contentObjections(check, circumstances)].map((reason) => ({
      check,
      reason
    }))
  )
}

/** The objections that keep everything from being run: those against checks that are not optional. */
export function blocking(all: readonly Objection[]): readonly Objection[] {
  return all.filter(({ check }) => !check.wanted.optional)
}

function permissionObjections(check: Check, circumstances: Circumstances): string[] {
  const { server, database, isThrowAway, allowWrites, allowedLoadHosts } = circumstances
  const isLoad = check.kind === 'load' || check.kind === 'connections'
  return [
    ...(check.writes && !isThrowAway && !allowWrites
      ? [
          `It changes data, and "${database}" on ${server.url} is a real database. Run it against a throw-away server, or allow it with the input \`allow-writes: true\`.`
        ]
      : []),
    ...(isLoad && !isAllowedLoadHost(server.url, allowedLoadHosts, isThrowAway)
      ? [
          `It puts a load on ${new URL(server.url).host}. Only this machine and throw-away servers may be loaded, unless the input \`allowed-load-hosts\` names the host.`
        ]
      : [])
  ]
}

function contentObjections({ wanted }: Check, circumstances: Circumstances): string[] {
  const { schema, expectedHash } = circumstances
  if ('served-hash' in wanted) return hashObjections(wanted['served-hash'], expectedHash)
  if ('reducer' in wanted) return callObjections('reducer', wanted.reducer, wanted, schema)
  if ('procedure' in wanted) return callObjections('procedure', wanted.procedure, wanted, schema)
  if ('load' in wanted) return callObjections('reducer', wanted.load, wanted, schema)
  if ('sql' in wanted) return tableObjections([wanted.sql], wanted.as, schema)
  if ('subscription' in wanted) {
    const { as, call, subscription } = wanted
    return [
      ...tableObjections([subscription].flat(), as, schema),
      ...(call === undefined ? [] : callObjections('reducer', call.reducer, { as, args: call.args }, schema))
    ]
  }
  if ('http-route' in wanted) return routeObjections(wanted.method, wanted['http-route'], schema)
  if ('metrics' in wanted && wanted.metrics.reducer !== undefined)
    return reducerObjections(wanted.metrics.reducer, schema)
  return []
}

/** Why `served-hash: true` can't be answered. */
export const noExpectedHash =
  'With `served-hash: true` the module has to be known that the database should run, and this job knows none. Write its hash (64 hex digits) instead of `true`, or leave the check out.'

function hashObjections(wanted: string | true, expectedHash: ModuleHash | undefined): string[] {
  if (wanted === true) return expectedHash === undefined ? [noExpectedHash] : []
  if (expectedHash === undefined || wanted.toLowerCase() === expectedHash) return []
  return [
    `It wants the module ${wanted.toLowerCase()}, and the one of this job is ${expectedHash}. Write \`served-hash: true\`.`
  ]
}

type Call = { readonly as: 'owner' | 'anonymous'; readonly args: readonly unknown[] }

function callObjections(kind: 'reducer' | 'procedure', name: string, { as, args }: Call, schema: Schema): string[] {
  const [callables, others] =
    kind === 'reducer' ? [schema.reducers, schema.procedures] : [schema.procedures, schema.reducers]
  const callable = callables.find((each) => each.name === name)
  if (callable === undefined) {
    if (!others.some((each) => each.name === name)) return [noSuch(kind, name, callables)]
    const other = kind === 'reducer' ? 'procedure' : 'reducer'
    return [`\`${name}\` is a ${other} of the module: write a check of the kind \`${other}\` for it.`]
  }
  if (schema.lifecycle.some(({ reducer }) => reducer === name)) {
    return [
      `\`${name}\` is run by the server itself, and nobody may call it. Check what it did with \`sql\` or \`log\`.`
    ]
  }
  if (callable.visibility === 'private' && as === 'anonymous') {
    return [`\`${name}\` is private: only the owner may call it. Write \`as: owner\`.`]
  }
  return argumentObjections(args, callable.parameters, schema.typespace)
}

function reducerObjections(name: string, { reducers }: Schema): string[] {
  return reducers.some((reducer) => reducer.name === name) ? [] : [noSuch('reducer', name, reducers)]
}

function noSuch(what: string, name: string, known: readonly { readonly name: string }[]): string {
  const names = known.map((each) => each.name)
  return `The module has no ${what} \`${inOneLine(name)}\`. ${knownNames(name, names)}`
}

function tableObjections(statements: readonly string[], as: Call['as'], { tables, views }: Schema): string[] {
  const known = [
    ...tables.flatMap(({ name, accessor, access }) => [name, accessor ?? name].map((each) => ({ name: each, access }))),
    ...views.map(({ name, isPublic }) => ({ name, access: isPublic ? 'public' : 'private' }))
  ]
  return statements.flatMap(tablesIn).flatMap((name) => {
    const table = known.find((each) => each.name.toLowerCase() === name.toLowerCase())
    if (table === undefined) return [noSuch('table or view', name, [...tables, ...views])]
    if (table.access === 'public' || as === 'owner') return []
    return [`\`${name}\` is private: only the owner may read it. Write \`as: owner\`.`]
  })
}

/** The server compares paths whole (docs/server-behaviour.md, "HTTP handlers"). */
function routeObjections(method: string, target: string, { httpRoutes }: Schema): string[] {
  const path = target.replace(/\?.*$/s, '')
  const routes = httpRoutes.filter((route) => route.path === path)
  if (routes.some((route) => route.method === 'ANY' || route.method === method)) return []
  if (routes.length === 0)
    return [
      noSuch(
        'HTTP handler for',
        path,
        httpRoutes.map((route) => ({ name: route.path }))
      )
    ]
  return [`\`${path}\` is not for ${method}. Set \`method\` to ${routes.map((route) => route.method).join(' or ')}.`]
}
