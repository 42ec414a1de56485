import json5 from 'json5'
import { parse as parseToml } from 'smol-toml'
import { parse as parseYaml } from 'yaml'

/**
 * Where in a repository the module lies that a lock file is asked about.
 */
export type LockedModule = {
  /** From the lock file's folder to the module's, with `/`; empty when they are one. */
  readonly folder: string
  /** The package's own name, where its manifest has one. */
  readonly name?: string | undefined
  /** What its manifest asks for: `^2.8.0`. */
  readonly requirement?: string | undefined
}

/**
 * Reads from a lock file's text which version of a package a module gets; `undefined` when the lock file does not cover
 * the module or the package. Throws what the format's parser throws for a text that is none.
 */
export type LockFileReader = (text: string, wanted: string, module: LockedModule) => string | undefined

/** The lock files of cargo, and of the package managers for JavaScript. */
export const lockFileReaders = {
  'Cargo.lock': fromCargoLock,
  'package-lock.json': fromPackageLock,
  'npm-shrinkwrap.json': fromPackageLock,
  'pnpm-lock.yaml': fromPnpmLock,
  'yarn.lock': fromYarnLock,
  'bun.lock': fromBunLock
} as const satisfies Record<string, LockFileReader>

/**
 * The lock files of JavaScript's package managers, in the order in which the CLI looks for them
 * (crates/cli/src/spacetime_config.rs, detect_package_manager): of several in a folder the first counts.
 */
export const javaScriptLockFiles = [
  'pnpm-lock.yaml',
  'yarn.lock',
  'bun.lock',
  'bun.lockb',
  'package-lock.json',
  'npm-shrinkwrap.json'
] as const

/** https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html */
function fromCargoLock(text: string, wanted: string, { name }: LockedModule): string | undefined {
  const packages = list(record(parseToml(text)).package).map(record)
  const own = packages.find((each) => each.name === name && each.source === undefined)
  if (own === undefined && name !== undefined) return undefined
  const versions = packages.filter((each) => each.name === wanted).map(({ version }) => textIn(version))
  if (own === undefined) return only(versions)
  // `name` where there is one version of it, else `name version`.
  const dependency = list(own.dependencies)
    .map((each) => `${textIn(each)}`.split(' '))
    .find(([each]) => each === wanted)
  return dependency === undefined ? undefined : (dependency[1] ?? only(versions))
}

/** https://docs.npmjs.com/cli/configuring-npm/package-lock-json */
function fromPackageLock(text: string, wanted: string, { folder }: LockedModule): string | undefined {
  const { packages, dependencies } = record(JSON.parse(text))
  if (packages === undefined) return folder === '' ? textIn(record(record(dependencies)[wanted]).version) : undefined
  const all = record(packages)
  if (all[folder] === undefined) return undefined
  // The module's own node_modules, then those of the folders above it, as Node looks for them.
  const places = foldersUp(folder).map((each) => join(each, `node_modules/${wanted}`))
  const found = places.map((place) => all[place]).find((each) => each !== undefined)
  const { link, resolved, version } = record(found)
  return link === true ? textIn(record(all[`${resolved}`]).version) : textIn(version)
}

/** https://github.com/pnpm/spec/tree/master/lockfile */
function fromPnpmLock(text: string, wanted: string, { folder }: LockedModule): string | undefined {
  const lock = record(parseYaml(text))
  const importer = lock.importers === undefined && folder === '' ? lock : record(record(lock.importers)[folder || '.'])
  const entry = [importer.dependencies, importer.devDependencies, importer.optionalDependencies]
    .map((each) => record(each)[wanted])
    .find((each) => each !== undefined)
  const version = typeof entry === 'string' ? entry : textIn(record(entry).version)
  // After the version come the versions of its peers: `2.8.3(react@19.0.0)`, in older files `2.8.3_react@19.0.0`.
  return version === undefined ? undefined : /^\d[^(_]*/.exec(version)?.[0]
}

/** Yarn 1 has a format of its own (https://classic.yarnpkg.com/en/docs/yarn-lock), later ones YAML. */
function fromYarnLock(text: string, wanted: string, module: LockedModule): string | undefined {
  const entries = /^__metadata:/m.test(text) ? yarnEntries(text) : classicYarnEntries(text)
  const ofWanted = entries.flatMap(({ keys, version }) =>
    keys.filter((key) => key.startsWith(`${wanted}@`)).map((key) => ({ version, range: rangeIn(key, wanted) }))
  )
  const asked = ofWanted.find(({ range }) => range === module.requirement)
  return asked?.version ?? only(ofWanted.map(({ version }) => version))
}

type YarnEntry = { readonly keys: readonly string[]; readonly version: string | undefined }

function yarnEntries(text: string): YarnEntry[] {
  return Object.entries(record(parseYaml(text))).map(([key, value]) => ({
    keys: key.split(', '),
    version: textIn(record(value).version)
  }))
}

function classicYarnEntries(text: string): YarnEntry[] {
  return text
    .split(/\r?\n(?=\S)/)
    .filter((block) => !block.startsWith('#'))
    .map((block) => ({
      keys: (block.split(/:\r?\n/, 1)[0] ?? '').split(', ').map((key) => key.replaceAll('"', '')),
      version: /^\s+version "?([^"\s]+)"?/m.exec(block)?.[1]
    }))
}

function rangeIn(key: string, name: string): string {
  return key.slice(name.length + 1).replace(/^npm:/, '')
}

/** https://bun.com/docs/pm/lockfile: JSON with trailing commas. */
function fromBunLock(text: string, wanted: string, { folder, name }: LockedModule): string | undefined {
  const { workspaces, packages } = record(json5.parse(text))
  if (record(workspaces)[folder] === undefined) return undefined
  const all = record(packages)
  const entry = list(all[`${name}/${wanted}`] ?? all[wanted])
  const resolved = textIn(entry[0])
  return resolved === undefined ? undefined : /@(\d[^@]*)$/.exec(resolved)?.[1]
}

/** A folder and those above it, the nearest first, down to the empty one. */
function foldersUp(folder: string): string[] {
  const parts = folder === '' ? [] : folder.split('/')
  return Array.from({ length: parts.length + 1 }, (_, above) => parts.slice(0, parts.length - above).join('/'))
}

function join(folder: string, path: string): string {
  return folder === '' ? path : `${folder}/${path}`
}

/** The version, when all agree. */
function only(versions: readonly (string | undefined)[]): string | undefined {
  return new Set(versions).size === 1 ? versions[0] : undefined
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
