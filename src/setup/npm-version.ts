import { dirname, join, relative } from 'node:path'
import { ConfigurationError } from '../errors.ts'
import { lockedVersions, lockFileNames } from './npm-lock-files.ts'
import {
  giveVersion,
  type Project,
  type ProjectVersion,
  parsed,
  property,
  requiredVersion,
  theOneVersion
} from './project.ts'

/** The version of the npm package `spacetimedb` in a TypeScript project's lock file, else what package.json asks for. */
export function npmVersion(project: Project): ProjectVersion {
  const manifest = join(project.folder, 'package.json')
  const required = requirementIn(project, manifest)
  if (required === undefined) {
    throw new ConfigurationError(
      `${project.shown(manifest)} does not depend on the package spacetimedb. Is this the module's folder? If not, give it by the input \`path\`. ${giveVersion}`
    )
  }
  const lock = nearestLock(project)
  if (lock === undefined) {
    return requiredVersion(required, {
      file: project.shown(manifest),
      what: 'the package spacetimedb',
      written: required
    })
  }
  const file = project.shown(lock.path)
  const importer = relative(dirname(lock.path), project.folder).replaceAll('\\', '/')
  const text = project.read(lock.path) ?? ''
  const found = parsed(file, lock.name, () => lockedVersions(lock.name, text, { importer, required }))
  if (found.length > 0) return theOneVersion(found, required, { file, what: 'the package spacetimedb' })
  throw new ConfigurationError(
    `${file} does not say which version of the package spacetimedb ${project.shown(manifest)} gets. Is it current? ${giveVersion}`
  )
}

/** The nearest lock file, of whatever package manager. */
function nearestLock(project: Project): { readonly name: string; readonly path: string } | undefined {
  const found = lockFileNames.flatMap((name) => {
    const path = project.nearest(name)
    return path === undefined ? [] : [{ name, path }]
  })
  return found.sort((one, other) => dirname(other.path).length - dirname(one.path).length)[0]
}

function requirementIn(project: Project, manifest: string): string | undefined {
  const content = parsed(project.shown(manifest), 'JSON', () => JSON.parse(project.read(manifest) ?? '') as unknown)
  for (const kind of ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies']) {
    const required = property(content, kind, 'spacetimedb')
    if (typeof required === 'string') return required
  }
  return undefined
}
