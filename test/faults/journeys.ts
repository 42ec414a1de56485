import type { ModuleHash } from '../../src/module/hash.ts'
import { type Deployed, type DeployOptions, hashOf, type Stage } from '../runner/stage.ts'
import { type FaultProxy, type Match, type ProxiedRequest, type Rule, startProxy } from './proxy.ts'

/** A deploy that goes well when nothing is wrong with the connection. */
export type Journey = {
  readonly name: string
  /** What is live before; nothing for a first release. */
  readonly before?: string
  readonly module: string
  readonly inputs: Readonly<Record<string, string>>
  readonly result: string
}

export const journeys: readonly Journey[] = [
  { name: 'an update', before: 'counter', module: 'counter-additive', inputs: {}, result: 'updated' },
  { name: 'a first release', module: 'counter', inputs: { create: 'true' }, result: 'created' },
  { name: 'a rollback', before: 'counter', module: 'counter-unhealthy', inputs: {}, result: 'rolled-back' }
]

/** What a deploy through a proxy came to. */
export type Travelled = Deployed & {
  readonly database: string
  /** Served when everything was over; `undefined` when there is no database. */
  readonly live: ModuleHash | undefined
  readonly requests: readonly ProxiedRequest[]
  /** What the steps had to mask: the token that they were given and those that the server gave away. */
  readonly secrets: readonly string[]
}

/** Deploys to a database of its own through a proxy with these rules. `rules` may need the proxy or the database. */
export async function travel(
  stage: Stage,
  journey: Journey,
  rules: readonly Rule[] | ((proxy: FaultProxy, database: string) => readonly Rule[]) = [],
  options: Partial<DeployOptions> = {}
): Promise<Travelled> {
  const database = journey.before === undefined ? stage.newDatabase() : await stage.databaseWith(journey.before)
  const proxy = await startProxy(stage.server.url)
  try {
    proxy.inject(...(typeof rules === 'function' ? rules(proxy, database) : rules))
    const inputs = { ...journey.inputs, ...options.inputs, server: proxy.url }
    const secrets = () => [...proxy.issuedTokens]
    const deployed = await stage.deploy({ module: journey.module, secrets, ...options, database, inputs })
    const masked = [stage.token, ...proxy.issuedTokens]
    return { ...deployed, database, live: await stage.liveHash(database), requests: proxy.requests, secrets: masked }
  } finally {
    await proxy.close()
  }
}

/** What a result says about the module that is live when the job is over. */
const truths: Readonly<Record<string, 'old' | 'new'>> = {
  created: 'new',
  updated: 'new',
  unchanged: 'new',
  unhealthy: 'new',
  'rollback-failed': 'new',
  planned: 'old',
  refused: 'old',
  failed: 'old',
  'rolled-back': 'old'
}

const successes = ['created', 'updated', 'unchanged', 'planned']

/** What is not as it must be after any deploy, whatever happened on the way; nothing when all is well. */
export function violations(journey: Journey, { main, post, live, requests, secrets }: Travelled): string[] {
  const { result = 'none' } = main.outputs
  const old = journey.before === undefined ? undefined : hashOf(journey.before)
  const next = hashOf(journey.module)
  const errors = main.annotations.filter(({ level }) => level === 'error')
  const truth = truths[result] === 'new' ? next : old
  const masked = [...main.commands, ...post.commands].flatMap(({ name, message }) =>
    name === 'add-mask' ? message : []
  )
  return [
    secrets.every((secret) => masked.includes(secret)) ? [] : 'a token was not masked',
    main.commands[0]?.name === 'add-mask' ? [] : 'something else was said before the token was masked',
    live === old || live === next ? [] : `the database is in neither release: ${live}`,
    result in truths ? [] : `the result is ${result} although the server can be asked`,
    !(result in truths) || truth === live
      ? []
      : `the result is ${result}, but live is the ${live === old ? 'old' : 'new'} module`,
    (main.exitCode === 0) === successes.includes(result) ? [] : `the exit code is ${main.exitCode} for ${result}`,
    errors.length === (main.exitCode === 0 ? 0 : 1)
      ? []
      : `${errors.length} error annotations: ${JSON.stringify(errors)}`,
    main.leftProcesses ? 'a process was left running' : [],
    post.exitCode === 0 ? [] : `the post step failed after a main step that had ended:\n${post.log}`,
    ...repetitions(requests)
  ].flat()
}

/** Publishing what the server has published already: the live hash would have told. */
function repetitions(requests: readonly ProxiedRequest[]): string[] {
  const publishes = requests.filter(({ method, served }) => method === 'PUT' && served)
  const again = publishes.filter(
    ({ bodyHash }, at) => publishes.findIndex((other) => other.bodyHash === bodyHash) !== at
  )
  return again.map(({ path }) => `published again although the server had done it: ${path}`)
}

/** A request of a journey, described so that it is found again in another run. */
export type Place = { readonly title: string; readonly index: number; readonly match: Match }

/** All requests of a journey as places. Databases differ from run to run, and tokens with them. */
export function placesOf(requests: readonly ProxiedRequest[]): Place[] {
  const descriptions = requests.map(describe)
  return requests.map(({ index, method, path }, at) => {
    const description = descriptions[at] ?? ''
    const nth = descriptions.slice(0, at + 1).filter((other) => other === description).length
    const action = /^\/v1\/database\/[^/?]+([^?]*)/.exec(path)?.[1] ?? ''
    const title = nth > 1 ? `${description} (${nth})` : description
    return { title, index, match: { method, path: new RegExp(`^/v1/database/[^/?]+${action}(\\?|$)`), nth } }
  })
}

/** For reading: `PUT …/sql`. */
function describe({ method, path }: ProxiedRequest): string {
  return `${method} ${path.replace(/\?.*/, '').replace(/^\/v1\/database\/[^/]+/, '…')}`
}
