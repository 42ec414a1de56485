import { join } from 'node:path'
import { XMLParser } from 'fast-xml-parser'
import { ConfigurationError } from '../errors.ts'
import {
  exactVersion,
  giveVersion,
  type Project,
  type ProjectVersion,
  parsed,
  property,
  requiredVersion
} from './project.ts'

/** NuGet's package of the module bindings for C#. */
const packageName = 'SpacetimeDB.Runtime'

/** The version of `SpacetimeDB.Runtime` in packages.lock.json, else in a .csproj (or Directory.Packages.props). */
export function dotnetVersion(project: Project, csproj: readonly string[]): ProjectVersion {
  const locked = lockedVersion(project)
  if (locked) return locked
  const references = csproj.flatMap((name) => {
    const version = referenceIn(project, join(project.folder, name), 'PackageReference')
    return version === undefined ? [] : [{ file: join(project.folder, name), version }]
  })
  const [reference] = references
  if (reference === undefined) {
    throw new ConfigurationError(
      `${csproj.map((name) => project.shown(join(project.folder, name))).join(', ')} has no PackageReference to ${packageName}. Is this the module's folder? If not, give it by the input \`path\`. ${giveVersion}`
    )
  }
  if (new Set(references.map(({ version }) => version)).size > 1) {
    const each = references.map(({ file, version }) => `${project.shown(file)}: ${version}`).join(', ')
    throw new ConfigurationError(`The projects ask for several versions of ${packageName} (${each}). ${giveVersion}`)
  }
  const { file, version } = reference.version === '' ? centralVersion(project, reference.file) : reference
  return requiredVersion(rangeOf(version), { file: project.shown(file), what: packageName, written: version })
}

function lockedVersion(project: Project): ProjectVersion | undefined {
  const path = join(project.folder, 'packages.lock.json')
  const text = project.read(path)
  if (text === undefined) return undefined
  const file = project.shown(path)
  const frameworks = property(
    parsed(file, 'JSON', () => JSON.parse(text)),
    'dependencies'
  )
  if (typeof frameworks !== 'object' || frameworks === null) return undefined
  const versions = Object.values(frameworks).flatMap((packages) => {
    const resolved = property(packages, packageName, 'resolved')
    return typeof resolved === 'string' ? [resolved] : []
  })
  if (new Set(versions).size > 1) {
    throw new ConfigurationError(
      `${file} has ${packageName} in several versions: ${[...new Set(versions)].join(', ')}. ${giveVersion}`
    )
  }
  const [version] = versions
  return version === undefined ? undefined : exactVersion(version, `${file} has ${packageName} ${version}`)
}

/** Where versions are kept for all projects (https://learn.microsoft.com/nuget/consume-packages/central-package-management). */
function centralVersion(project: Project, referring: string): { readonly file: string; readonly version: string } {
  const file = project.nearest('Directory.Packages.props')
  const version = file === undefined ? undefined : referenceIn(project, file, 'PackageVersion')
  if (file !== undefined && version) return { file, version }
  throw new ConfigurationError(`${project.shown(referring)} refers to ${packageName} without a version. ${giveVersion}`)
}

const xml = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '@', parseAttributeValue: false })

/** The version in an item of MSBuild, '' for an item without one, `undefined` without an item. */
function referenceIn(project: Project, path: string, item: string): string | undefined {
  const text = project.read(path)
  if (text === undefined) return undefined
  const document = parsed(project.shown(path), 'XML', () => xml.parse(text, true) as unknown)
  const items = listOf(property(document, 'Project', 'ItemGroup')).flatMap((group) => listOf(property(group, item)))
  const wanted = items.find(
    (each) => String(property(each, '@Include') ?? '').toLowerCase() === packageName.toLowerCase()
  )
  if (wanted === undefined) return undefined
  return String(property(wanted, '@Version') ?? property(wanted, 'Version') ?? '').trim()
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}

/**
 * NuGet's version in node-semver's form (https://learn.microsoft.com/nuget/concepts/package-versioning). A bare
 * version is a lower bound, of which restoring takes the lowest: that version itself.
 */
function rangeOf(written: string): string | undefined {
  const interval = /^([[(])\s*([^,\s]*)\s*(?:(,)\s*([^,\s]*)\s*)?([\])])$/.exec(written)
  if (!interval) return /\$\(/.test(written) ? undefined : written
  const [, opening, low = '', comma, high = '', closing] = interval
  if (comma === undefined) return low
  const bounds = [low && `${opening === '[' ? '>=' : '>'}${low}`, high && `${closing === ']' ? '<=' : '<'}${high}`]
  return bounds.filter(Boolean).join(' ')
}
