import JSON5 from 'json5'
import { parse as parseYaml } from 'yaml'
import { property } from './project.ts'

/** Who asks a lock file for the package `spacetimedb`. */
export type Importer = {
  /** The project's folder, relative to the lock file's: '' for the same. */
  readonly importer: string
  /** As package.json asks for it. */
  readonly required: string
}

/**
 * The versions of the package `spacetimedb` that a lock file gives to a project: mostly one, several where the file
 * does not tell. Throws what a parser throws.
 */
export function lockedVersions(name: string, text: string, asking: Importer): readonly string[] {
  return readers[name]?.(text, asking) ?? []
}

type Reader = (text: string, asking: Importer) => readonly string[]

const readers: Readonly<Record<string, Reader>> = {
  'package-lock.json': inPackageLock,
  'npm-shrinkwrap.json': inPackageLock,
  'pnpm-lock.yaml': inPnpmLock,
  'yarn.lock': inYarnLock,
  'bun.lock': inBunLock
}

/** Lock files that are understood, by their names. */
export const lockFileNames = Object.keys(readers)

/** Versions 1 to 3: https://docs.npmjs.com/cli/configuring-npm/package-lock-json. */
function inPackageLock(text: string, { importer }: Importer): readonly string[] {
  const lock: unknown = JSON.parse(text)
  const packages = property(lock, 'packages')
  if (packages === undefined) return texts(property(lock, 'dependencies', 'spacetimedb', 'version'))
  // As Node resolves it: in the project's own node_modules, then in those of the folders above.
  const parts = importer === '' ? [] : importer.split('/')
  for (let depth = parts.length; depth >= 0; depth--) {
    const place = [...parts.slice(0, depth), 'node_modules/spacetimedb'].join('/')
    const found = texts(property(packages, place, 'version'))
    if (found.length > 0) return found
  }
  return []
}

/** Versions 5 to 9: https://github.com/pnpm/spec/tree/master/lockfile. Peers stand behind the version. */
function inPnpmLock(text: string, { importer }: Importer): readonly string[] {
  const lock: unknown = parseYaml(text)
  const project = property(lock, 'importers', importer || '.') ?? lock
  const entry = dependencyKinds
    .map((kind) => property(project, kind, 'spacetimedb'))
    .find((dependency) => dependency !== undefined)
  return texts(property(entry, 'version') ?? entry).map((version) => version.replace(/[(_].*$/s, ''))
}

const dependencyKinds = ['dependencies', 'devDependencies', 'optionalDependencies']

/**
 * Of yarn 1 and of later ones, whose files are YAML: entries under all the requirements that they satisfy
 * (https://classic.yarnpkg.com/lang/en/docs/yarn-lock/, https://yarnpkg.com/configuration/manifest).
 */
function inYarnLock(text: string, { required }: Importer): readonly string[] {
  const entries = /^__metadata:/m.test(text) ? berryEntries(text) : classicEntries(text)
  const ours = entries.flatMap(({ wanted, version }) => {
    const requirements = wanted.flatMap((each) => /^spacetimedb@(?:npm:)?(.*)$/s.exec(each)?.[1] ?? [])
    return requirements.length === 0 ? [] : [{ requirements, version }]
  })
  const exact = ours.filter(({ requirements }) => requirements.includes(required.replace(/^npm:/, '')))
  return (exact.length > 0 ? exact : ours).map(({ version }) => version)
}

type YarnEntry = { readonly wanted: readonly string[]; readonly version: string }

function berryEntries(text: string): readonly YarnEntry[] {
  const lock: unknown = parseYaml(text)
  if (typeof lock !== 'object' || lock === null) return []
  return Object.entries(lock).flatMap(([key, entry]) =>
    texts(property(entry, 'version')).map((version) => ({ wanted: key.split(/,\s*/), version }))
  )
}

/** `name@range, name@other:` without indent, and below it `version "1.2.3"`. */
function classicEntries(text: string): readonly YarnEntry[] {
  return text.split(/\r?\n(?=\S)/).flatMap((block) => {
    const [key = '', ...lines] = block.split(/\r?\n/)
    const version = lines.flatMap((line) => /^ {2}version "?([^"]+)"?$/.exec(line)?.[1] ?? [])[0]
    if (!key.endsWith(':') || version === undefined) return []
    const wanted = key.slice(0, -1).split(/,\s*/)
    return [{ wanted: wanted.map((each) => each.replace(/^"|"$/g, '')), version }]
  })
}

/** JSON with comments and trailing commas; `packages` has lists that begin with `name@version`. */
function inBunLock(text: string, { importer }: Importer): readonly string[] {
  const lock: unknown = JSON5.parse(text)
  const workspace = property(lock, 'workspaces', importer, 'name')
  const places = [...texts(workspace).map((name) => `${name}/spacetimedb`), 'spacetimedb']
  for (const place of places) {
    const entry = property(lock, 'packages', place)
    const resolved = Array.isArray(entry) ? texts(entry[0]) : []
    const found = resolved.flatMap((each) => /^spacetimedb@(.+)$/s.exec(each)?.[1] ?? [])
    if (found.length > 0) return found
  }
  return []
}

function texts(value: unknown): readonly string[] {
  return typeof value === 'string' ? [value] : []
}
