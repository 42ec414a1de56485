import { readdir, readFile } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import { XMLParser } from 'fast-xml-parser'
import { parse as parseToml } from 'smol-toml'
import { messageOf } from './errors.ts'
import { javaScriptLockFiles, type LockedModule, lockFileReaders } from './lock-files.ts'
import type { ModuleLanguage } from './module-language.ts'
import { foldersUp } from './paths.ts'

/** Which version of SpacetimeDB's bindings a module project uses, and how that is known. */
export type BindingsVersion =
  | { readonly kind: 'locked'; readonly version: string; readonly file: string }
  /** Only asked for, by a manifest without a lock file; `range` as npm's semver understands it. */
  | { readonly kind: 'required'; readonly range: string; readonly file: string }
  /** `lookedAt`: paths of the files that exist and don't tell. */
  | { readonly kind: 'unknown'; readonly reason: string; readonly lookedAt: readonly string[] }

/** The bindings' package in each language; C++ has none. */
export const bindingsPackages: Readonly<Record<ModuleLanguage, string | undefined>> = {
  rust: 'spacetimedb',
  typescript: 'spacetimedb',
  csharp: 'SpacetimeDB.Runtime',
  cpp: undefined
}

/**
 * Finds the version of the bindings that a module project uses: from its lock file, which may lie in a folder above it
 * (a workspace), but not above `topmost`; else what its manifest asks for. Both are absolute paths, and so are the files
 * in the answer. Throws nothing: a file that can't be read is part of the answer.
 */
export async function findBindingsVersion(
  folder: string,
  language: ModuleLanguage,
  topmost: string
): Promise<BindingsVersion> {
  const finding = new Finding()
  if (language === 'cpp') return finding.unknown('C++ modules have no lock file that says it')
  if (language === 'csharp') return findInDotnet(finding, folder, topmost)
  const manifest = join(folder, language === 'rust' ? 'Cargo.toml' : 'package.json')
  const declared = await finding.read(manifest, language === 'rust' ? fromCargoToml : fromPackageJson)
  const names = language === 'rust' ? cargoLocks : javaScriptLocks
  for (const above of foldersUp(folder, topmost)) {
    for (const name of names) {
      const module: LockedModule = { ...declared, folder: relative(above, folder).split(sep).join('/') }
      const read = (text: string) => lockFileReaders[name](text, 'spacetimedb', module)
      const version = await finding.read(join(above, name), read)
      if (version !== undefined) return { kind: 'locked', version, file: join(above, name) }
    }
  }
  if (declared?.range !== undefined) return { kind: 'required', range: declared.range, file: manifest }
  const inherited = language === 'rust' ? await findInCargoWorkspace(finding, folder, topmost) : undefined
  return inherited ?? finding.unknown(`no file names the package \`${bindingsPackages[language]}\``)
}

const cargoLocks = ['Cargo.lock'] as const
/** Bun's binary one can't be read here. */
const javaScriptLocks = javaScriptLockFiles.filter((name) => name !== 'bun.lockb')

/** Reads files, and remembers those that did not help. */
class Finding {
  readonly #lookedAt: string[] = []
  readonly #unreadable: string[] = []

  /** What `parse` makes of a file; `undefined` when there is none, or it can't be read. */
  async read<Result>(file: string, parse: (text: string) => Result): Promise<Result | undefined> {
    const text = await readFile(file, 'utf8').catch(() => undefined)
    if (text === undefined) return undefined
    this.#lookedAt.push(file)
    try {
      return parse(text)
    } catch (error) {
      this.#unreadable.push(`${basename(file)} can't be read: ${messageOf(error).split('\n', 1)[0]}`)
      return undefined
    }
  }

  unknown(reason: string): BindingsVersion {
    return { kind: 'unknown', reason: [reason, ...this.#unreadable].join('; '), lookedAt: this.#lookedAt }
  }
}

type Declared = Pick<LockedModule, 'name' | 'requirement'> & { readonly range: string | undefined }

function fromCargoToml(text: string): Declared {
  const manifest = parseToml(text) as CargoToml
  const requirement = cargoRequirement(manifest.dependencies?.spacetimedb)
  return { name: manifest.package?.name, requirement, range: requirement && rangeOfCargo(requirement) }
}

type CargoDependency = string | { readonly version?: string } | undefined
type CargoToml = {
  readonly package?: { readonly name?: string }
  readonly dependencies?: Readonly<Record<string, CargoDependency>>
  readonly workspace?: { readonly dependencies?: Readonly<Record<string, CargoDependency>> }
}

function cargoRequirement(dependency: CargoDependency): string | undefined {
  return typeof dependency === 'string' ? dependency : dependency?.version
}

/** Cargo's `2.8` is npm's `^2.8` (https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html). */
function rangeOfCargo(requirement: string): string {
  const parts = requirement.split(',').map((part) => part.trim())
  return parts.map((part) => (/^\d/.test(part) && !part.includes('*') ? `^${part}` : part)).join(' ')
}

async function findInCargoWorkspace(
  finding: Finding,
  folder: string,
  topmost: string
): Promise<BindingsVersion | undefined> {
  for (const above of foldersUp(folder, topmost)) {
    const file = join(above, 'Cargo.toml')
    const read = (text: string) => cargoRequirement((parseToml(text) as CargoToml).workspace?.dependencies?.spacetimedb)
    const requirement = await finding.read(file, read)
    if (requirement !== undefined) return { kind: 'required', range: rangeOfCargo(requirement), file }
  }
  return undefined
}

function fromPackageJson(text: string): Declared {
  const manifest = JSON.parse(text) as PackageJson
  const requirement = manifest.dependencies?.spacetimedb ?? manifest.devDependencies?.spacetimedb
  // Not a folder, a tag or a URL.
  return {
    name: manifest.name,
    requirement,
    range: /^[\^~<>=v\s]*\d/.test(requirement ?? '') ? requirement : undefined
  }
}

type PackageJson = {
  readonly name?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

async function findInDotnet(finding: Finding, folder: string, topmost: string): Promise<BindingsVersion> {
  const lock = join(folder, 'packages.lock.json')
  const locked = await finding.read(lock, fromNugetLock)
  if (locked !== undefined) return { kind: 'locked', version: locked, file: lock }
  const projects = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.csproj'))
  const shared = foldersUp(folder, topmost).flatMap((above) =>
    ['Directory.Packages.props', 'Directory.Build.props'].map((name) => join(above, name))
  )
  for (const file of [...projects.map((name) => join(folder, name)), ...shared]) {
    const range = await finding.read(file, fromMsbuild)
    if (range !== undefined) return { kind: 'required', range, file }
  }
  return finding.unknown(`no file names a version of the package \`${bindingsPackages.csharp}\``)
}

/** https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files#locking-dependencies */
function fromNugetLock(text: string): string | undefined {
  const { dependencies = {} } = JSON.parse(text) as NugetLock
  return Object.values(dependencies)
    .flatMap((framework) => Object.entries(framework))
    .find(([name]) => isRuntime(name))?.[1].resolved
}

type NugetLock = {
  readonly dependencies?: Readonly<Record<string, Readonly<Record<string, { readonly resolved?: string }>>>>
}

function fromMsbuild(text: string): string | undefined {
  const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '', parseTagValue: false })
  const elements = packageElements(parser.parse(text))
  const element = elements.find(({ Include, Update }) => isRuntime(`${Include ?? Update}`))
  const version = element?.Version ?? element?.VersionOverride
  return typeof version === 'string' && /^[[(\d]/.test(version) ? rangeOfNuget(version) : undefined
}

/** NuGet's names have no case. */
function isRuntime(name: string): boolean {
  return name.toLowerCase() === 'spacetimedb.runtime'
}

/** All `PackageReference` and `PackageVersion` elements, at whatever depth. */
function packageElements(node: unknown): Record<string, unknown>[] {
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([name, value]) => {
    const elements: unknown[] = Array.isArray(value) ? value : [value]
    if (name !== 'PackageReference' && name !== 'PackageVersion') return elements.flatMap(packageElements)
    return elements.filter((each): each is Record<string, unknown> => typeof each === 'object' && each !== null)
  })
}

/** NuGet takes the lowest version that is allowed, and the highest for a `*` (https://learn.microsoft.com/nuget/concepts/package-versioning). */
function rangeOfNuget(version: string): string {
  if (version.includes('*')) return version.replace('*', 'x').replace(/-.*$/, '')
  const [, open, lowest, highest, close] = /^([[(])([^,]*),?(.*)([\])])$/.exec(version.replaceAll(' ', '')) ?? []
  if (open === undefined) return version
  if (open === '[' && lowest) return lowest
  return [lowest && `>${lowest}`, highest && `${close === ']' ? '<=' : '<'}${highest}`].filter(Boolean).join(' ')
}
