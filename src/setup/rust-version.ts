import { dirname, join } from 'node:path'
import { parse } from 'smol-toml'
import { ConfigurationError } from '../errors.ts'
import {
  giveVersion,
  type Project,
  type ProjectVersion,
  parsed,
  property,
  requiredVersion,
  theOneVersion
} from './project.ts'

/** The version of the crate `spacetimedb` in a Rust project's Cargo.lock, else what Cargo.toml asks for. */
export function rustVersion(project: Project): ProjectVersion {
  const manifest = join(project.folder, 'Cargo.toml')
  const required = requirementIn(project, manifest)
  const lock = project.nearest('Cargo.lock')
  if (lock !== undefined) {
    const found = versionsIn(project, lock)
    const file = project.shown(lock)
    if (found.length > 0) return theOneVersion(found, rangeOf(required), { file, what: 'the crate spacetimedb' })
    throw new ConfigurationError(
      `${file} has no crate spacetimedb. Is ${project.shown(project.folder)} the module's folder? If not, give it by the input \`path\`. ${giveVersion}`
    )
  }
  if (required === undefined) {
    throw new ConfigurationError(
      `${project.shown(manifest)} does not depend on the crate spacetimedb by a version, and there is no Cargo.lock. ${giveVersion}`
    )
  }
  return requiredVersion(rangeOf(required), {
    file: project.shown(manifest),
    what: 'the crate spacetimedb',
    written: required
  })
}

function versionsIn(project: Project, lock: string): string[] {
  const packages = property(tomlOf(project, lock), 'package')
  if (!Array.isArray(packages)) return []
  return packages.flatMap((entry) => {
    const version = property(entry, 'version')
    return property(entry, 'name') === 'spacetimedb' && typeof version === 'string' ? [version] : []
  })
}

/** As it is written; `undefined` for none, and for one by path or git alone. */
function requirementIn(project: Project, manifest: string): string | undefined {
  const dependency = property(tomlOf(project, manifest), 'dependencies', 'spacetimedb')
  if (property(dependency, 'workspace') !== true) return versionOf(dependency)
  // A workspace's root lies where its Cargo.lock does; without one, the folder above has to do.
  const lock = project.nearest('Cargo.lock')
  const root = join(dirname(lock ?? project.folder), 'Cargo.toml')
  return versionOf(property(tomlOf(project, root), 'workspace', 'dependencies', 'spacetimedb'))
}

function versionOf(dependency: unknown): string | undefined {
  const version = typeof dependency === 'string' ? dependency : property(dependency, 'version')
  return typeof version === 'string' ? version : undefined
}

/**
 * Cargo's requirement in node-semver's form: without an operator it is a caret
 * (https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html).
 */
function rangeOf(required: string | undefined): string | undefined {
  return required
    ?.split(',')
    .map((part) => part.trim())
    .map((part) => (/^\d[^*x]*$/i.test(part) ? `^${part}` : part))
    .join(' ')
}

function tomlOf(project: Project, path: string): unknown {
  const text = project.read(path)
  return text === undefined ? undefined : parsed(project.shown(path), 'TOML', () => parse(text))
}
