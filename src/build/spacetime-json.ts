import { readdir, readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import json5 from 'json5'
import * as z from 'zod'
import { ConfigurationError, messageOf } from '../errors.ts'
import { foldersUp, isWithin } from '../paths.ts'
import { type BuildOptions, dotnetVersion, parseBuildOptions } from './options.ts'
import { nameIn } from './project.ts'

/** What spacetime.json, and the files that lie over it, say. */
export type SpacetimeJson = {
  /** Where it lies; paths in it are from there. */
  readonly folder: string
  /** Absolute paths of those that were read, in the order in which they lie over each other. */
  readonly files: readonly string[]
  readonly targets: readonly Target[]
}

/** A database, and where its module comes from. */
export type Target = {
  /** `undefined` where it is only named on the developer's machine. */
  readonly database?: string
  /** As it is written: a nickname, a host or a URL. */
  readonly server?: string
  readonly source: Source
  readonly options: BuildOptions
}

export type Source =
  /** Absolute; `undefined` when none is named: `spacetimedb/` or the folder itself, as without spacetime.json. */
  | { readonly kind: 'project'; readonly folder: string | undefined }
  /** A module that is built already, absolute. */
  | { readonly kind: 'file'; readonly file: string }

export type SpacetimeJsonPlace = {
  /** Where the search begins; it goes upward to `topmost`. Both absolute. */
  readonly start: string
  readonly topmost: string
  /** Whose files lie over the others: `staging` for spacetime.staging.json. */
  readonly environment: string | undefined
}

/**
 * Reads the nearest spacetime.json, layered as the CLI does it (crates/cli/src/spacetime_config.rs): over it lie
 * spacetime.local.json, spacetime.ENV.json and spacetime.ENV.local.json, key by key, `children` one by one. Answers
 * `undefined` where there is none. Throws a `ConfigurationError` that names file and key of what is wrong, and one for an
 * environment without a file: the CLI would quietly take the other files' database.
 */
export async function readSpacetimeJson(place: SpacetimeJsonPlace): Promise<SpacetimeJson | undefined> {
  const { topmost, environment } = place
  const folder = await folderOfConfig(place.start, topmost)
  if (folder === undefined) {
    if (environment === undefined) return undefined
    throw new ConfigurationError(
      `The environment \`${environment}\` is given, but there is no spacetime.json in ${nameIn(topmost, place.start)} or a folder ` +
        'above it. Leave out `environment`, or add the file.'
    )
  }
  const layers = await layersIn(folder, topmost, environment)
  const merged = layers.map(({ entity }) => entity).reduce(overlay)
  const checked = new Config(folder, topmost, layers)
  return { folder, files: layers.map(({ file }) => file), targets: checked.targetsOf(merged) }
}

/** The environment of a place, where the nearest spacetime.json has files for it; else none. */
export async function knownEnvironment({
  start,
  topmost,
  environment
}: SpacetimeJsonPlace): Promise<string | undefined> {
  if (environment === undefined) return undefined
  const folder = await folderOfConfig(start, topmost)
  const files = folder === undefined ? [] : await readdir(folder)
  return filesOf(environment).some((name) => files.includes(name)) ? environment : undefined
}

function filesOf(environment: string): string[] {
  return [`spacetime.${environment}.json`, `spacetime.${environment}.local.json`]
}

async function folderOfConfig(start: string, topmost: string): Promise<string | undefined> {
  for (const folder of foldersUp(start, topmost)) {
    const files = await readdir(folder).catch((): string[] => [])
    if (files.includes('spacetime.json')) return folder
  }
  return undefined
}

type Layer = { readonly file: string; readonly entity: Entity }

async function layersIn(folder: string, topmost: string, environment: string | undefined): Promise<Layer[]> {
  const own = environment === undefined ? [] : filesOf(environment)
  const files = await readdir(folder)
  if (own.length > 0 && !own.some((name) => files.includes(name))) {
    throw new ConfigurationError(
      `The environment \`${environment}\` has no file: neither ${own.join(' nor ')} is in ${nameIn(topmost, folder)}. ` +
        `${environmentsAmong(files)}`
    )
  }
  const names = ['spacetime.json', 'spacetime.local.json', ...own].filter((name) => files.includes(name))
  return Promise.all(names.map((name) => readLayer(join(folder, name), topmost)))
}

function environmentsAmong(files: readonly string[]): string {
  const environments = files.map((file) => /^spacetime\.([^.]+)(\.local)?\.json$/.exec(file)?.[1])
  const named = new Set(environments.filter((name) => name !== undefined && name !== 'local'))
  return named.size === 0 ? 'There is no environment with one.' : `There is: ${[...named].sort().join(', ')}.`
}

async function readLayer(file: string, topmost: string): Promise<Layer> {
  const name = nameIn(topmost, file)
  let content: unknown
  try {
    content = json5.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new ConfigurationError(`${name} can't be read as JSON: ${messageOf(error).replace(/^JSON5: /, '')}.`)
  }
  const parsed = entitySchema.safeParse(content, { reportInput: true })
  if (parsed.success) return { file, entity: parsed.data }
  throw new ConfigurationError(parsed.error.issues.map((issue) => complaintAbout(issue, name)).join('\n'))
}

function complaintAbout({ code, path, message, ...issue }: z.core.$ZodIssue, file: string): string {
  const parent = path.join('.')
  if (code === 'unrecognized_keys') {
    const keys = (issue as { keys?: readonly string[] }).keys ?? []
    const within = parent === '' ? '' : ` in \`${parent}\``
    return `${file}: ${keys.map((key) => `\`${key}\``).join(', ')}${within} is no key that the CLI knows. It knows ${knownKeys.join(', ')}.`
  }
  const where = parent === '' ? file : `${file}: \`${parent}\``
  const wanted =
    code === 'invalid_union' ? 'a text or a number' : wantedOf(`${(issue as { expected?: unknown }).expected}`)
  return wanted === undefined
    ? `${where} is wrong: ${message}.`
    : `${where} is ${kindOf(issue.input)}, and has to be ${wanted}.`
}

/** By zod's names of types. */
function wantedOf(type: string): string | undefined {
  const texts: Readonly<Record<string, string>> = {
    object: 'an object',
    record: 'an object',
    array: 'a list',
    string: 'a text',
    number: 'a number',
    boolean: '`true` or `false`'
  }
  return texts[type]
}

function kindOf(value: unknown): string {
  if (value === null) return '`null`'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  return typeof value === 'string' ? 'a text' : `\`${value}\``
}

const text = z.string().min(1, 'it is empty')

/** The keys of a database in spacetime.json: crates/cli/src/subcommands/publish.rs, build_publish_schema, and its documentation. */
const keys = {
  database: text,
  server: text,
  'module-path': text,
  'bin-path': text,
  'wasm-file': text,
  'js-path': text,
  'js-file': text,
  'build-options': z.string(),
  'native-aot': z.boolean(),
  'dotnet-version': z.union([z.string(), z.number()]),
  'num-replicas': z.number(),
  'break-clients': z.boolean(),
  anonymous: z.boolean(),
  'anon-identity': z.boolean(),
  parent: text,
  organization: text,
  generate: z.array(z.record(z.string(), z.unknown())),
  dev: z.record(z.string(), z.unknown()),
  $schema: z.string()
}

const knownKeys = [...Object.keys(keys).filter((key) => key !== '$schema'), 'children']

type Entity = z.infer<z.ZodObject<typeof optionalKeys>> & { readonly children?: readonly Entity[] | undefined }

const optionalKeys = z.object(keys).partial().shape

/** The CLI takes `module_path` for `module-path`, and once wrote a key `_source-config` into files by mistake. */
function withKebabKeys(content: unknown): unknown {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return content
  const entries = Object.entries(content).filter(([key]) => key !== '_source-config')
  return Object.fromEntries(entries.map(([key, value]) => [key.replaceAll('_', '-'), value]))
}

const entitySchema: z.ZodType<Entity> = z.preprocess(
  withKebabKeys,
  z.strictObject({
    ...optionalKeys,
    get children() {
      return z.array(entitySchema).optional()
    }
  })
) as z.ZodType<Entity>

/** Keys of `over` replace those of `base`; children of both are laid over each other, and none is added. */
function overlay(base: Entity, over: Entity): Entity {
  const { children } = base
  if (children === undefined || over.children === undefined) return { ...base, ...over }
  const merged = children.map((child, at) => overlay(child, over.children?.[at] ?? {}))
  return { ...base, ...over, children: merged }
}

/** A database inherits the rest from the one above it. */
const notInherited = ['database', 'generate', 'dev', 'children'] as const
const sources = ['module-path', 'bin-path', 'wasm-file', 'js-path', 'js-file'] as const

class Config {
  readonly #folder: string
  readonly #topmost: string
  readonly #where: string

  constructor(folder: string, topmost: string, layers: readonly Layer[]) {
    this.#folder = folder
    this.#topmost = topmost
    this.#where = layers.map(({ file }) => basename(file)).join(' + ')
  }

  /** The entity itself is a database, and so is each child; a root that names none and has children is none. */
  targetsOf(entity: Entity, key = '', inherited: Entity = {}): Target[] {
    const own = { ...inheritable(entity, inherited), ...entity }
    const children = entity.children ?? []
    const below = children.flatMap((child, at) => this.targetsOf(child, `${key}children.${at}.`, own))
    return own.database === undefined && children.length > 0 ? below : [this.#target(own, key), ...below]
  }

  #target(entity: Entity, key: string): Target {
    const { database, server } = entity
    return {
      ...(database !== undefined && { database }),
      ...(server !== undefined && { server }),
      source: this.#source(entity, key),
      options: this.#options(entity, key)
    }
  }

  #source(entity: Entity, key: string): Source {
    const given = sources.filter((source) => entity[source] !== undefined)
    if (given.length > 1) {
      const named = given.map((source) => `\`${key}${source}\``).join(' and ')
      throw new ConfigurationError(`${this.#where}: ${named} exclude each other. Keep one of them.`)
    }
    const [source] = given
    const path = source && entity[source]
    if (path === undefined) return { kind: 'project', folder: undefined }
    const absolute = resolve(this.#folder, path)
    if (!isWithin(this.#topmost, absolute)) {
      throw new ConfigurationError(`${this.#where}: \`${key}${source}\` (${path}) is outside of the workspace.`)
    }
    return source === 'module-path' ? { kind: 'project', folder: absolute } : { kind: 'file', file: absolute }
  }

  #options(entity: Entity, key: string): BuildOptions {
    const { 'build-options': written = '', 'dotnet-version': version, 'native-aot': nativeAot = false } = entity
    const options = parseBuildOptions(written, `${this.#where}: \`${key}build-options\``)
    if (version === undefined) return { ...options, nativeAot }
    return {
      ...options,
      nativeAot,
      dotnetVersion: dotnetVersion(`${version}`, `${this.#where}: \`${key}dotnet-version\``)
    }
  }
}

function inheritable(entity: Entity, inherited: Entity): Entity {
  const namesSource = sources.some((source) => entity[source] !== undefined)
  const left: readonly string[] = namesSource ? [...notInherited, ...sources] : notInherited
  return Object.fromEntries(Object.entries(inherited).filter(([key]) => !left.includes(key)))
}
