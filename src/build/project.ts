import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { parse as parseToml } from 'smol-toml'
import { ConfigurationError, messageOf } from '../errors.ts'
import { detectLanguage, languageName, type ModuleLanguage, projectMarks } from '../module-language.ts'
import { isWithin } from '../paths.ts'

/** A folder with the sources of a module. */
export type ModuleProject = {
  /** Absolute. */
  readonly folder: string
  readonly language: ModuleLanguage
}

/**
 * The module project in a folder, which lies in the workspace. `name` is how the user called the folder. Throws a
 * `ConfigurationError` when there is no such folder, none in the workspace, or no module project in it.
 */
export async function projectAt(folder: string, workspace: string, name: string): Promise<ModuleProject> {
  await requireFolder(folder, workspace, name)
  const language = await detectLanguage(folder)
  if (language === undefined) {
    throw new ConfigurationError(
      `There is no module project in ${name}: looked for ${marks()}. ${await suggestion(workspace)}`
    )
  }
  if (language === 'rust') await requirePackage(folder, workspace, name)
  if (language === 'csharp') await requireOneProject(folder, name)
  return { folder, language }
}

/**
 * The module project of a repository that doesn't say where it is: `spacetimedb/`, else the folder itself, as the CLI
 * looks for it. Throws a `ConfigurationError` as `projectAt` does.
 */
export async function findProject(folder: string, workspace: string): Promise<ModuleProject> {
  const usual = join(folder, 'spacetimedb')
  if ((await detectLanguage(usual)) !== undefined) return projectAt(usual, workspace, nameIn(workspace, usual))
  if ((await detectLanguage(folder)) !== undefined) return projectAt(folder, workspace, nameIn(workspace, folder))
  throw new ConfigurationError(
    `No module project was found in ${nameIn(workspace, usual)} or ${nameIn(workspace, folder)}: looked for ${marks()}, ` +
      `and for a spacetime.json that names one. ${await suggestion(workspace)}`
  )
}

/** A folder as the user writes it: from the workspace, with `/`. */
export function nameIn(workspace: string, folder: string): string {
  const name = relative(workspace, folder).split(sep).join('/')
  return name === '' ? '`.`' : `\`${name}\``
}

async function requireFolder(folder: string, workspace: string, name: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined)
  if (found === undefined) {
    throw new ConfigurationError(
      `The module's folder ${name} does not exist (${folder}). Was the repository checked out by \`actions/checkout\`? ` +
        (await suggestion(workspace))
    )
  }
  if (!found.isDirectory()) {
    throw new ConfigurationError(`The module's folder ${name} is a file. Give the folder that it lies in.`)
  }
  const [place, root] = await Promise.all([realpath(folder), realpath(workspace)])
  if (!isWithin(root, place)) {
    throw new ConfigurationError(
      `The module's folder ${name} is outside of the workspace (${root}). Only what was checked out there is built.`
    )
  }
}

type CargoManifest = {
  readonly package?: { readonly name?: unknown }
  readonly workspace?: unknown
}

async function requirePackage(folder: string, workspace: string, name: string): Promise<void> {
  const manifest = await cargoManifest(folder, name)
  if (manifest.package !== undefined) return
  const where = `The Cargo.toml in ${name} has no \`[package]\``
  const what =
    manifest.workspace === undefined ? '.' : ': it is the root of a workspace, of which one member is to be built.'
  throw new ConfigurationError(`${where}${what} ${await suggestion(workspace)}`)
}

async function cargoManifest(folder: string, name: string): Promise<CargoManifest> {
  const text = await readFile(join(folder, 'Cargo.toml'), 'utf8')
  try {
    return parseToml(text) as CargoManifest
  } catch (error) {
    throw new ConfigurationError(`The Cargo.toml in ${name} can't be read: ${messageOf(error)}`)
  }
}

async function requireOneProject(folder: string, name: string): Promise<void> {
  const projects = (await readdir(folder)).filter((file) => file.endsWith('.csproj')).sort()
  if (projects.length === 1) return
  throw new ConfigurationError(
    `There are ${projects.length} projects in ${name}: ${projects.join(', ')}. Keep the module's in a folder of its own, ` +
      'because what is built would depend on the order of files.'
  )
}

function marks(): string {
  return projectMarks.map(({ language, file }) => `${file} (${languageName(language)})`).join(', ')
}

async function suggestion(workspace: string): Promise<string> {
  const found = await modulesBelow(workspace, workspace, mostDepth)
  if (found.length === 0) return "Give the folder of the module's sources as `path`."
  const shown = found.slice(0, 10).map((folder) => `\`path: ${nameIn(workspace, folder).slice(1, -1)}\``)
  return `What uses SpacetimeDB's bindings here: ${shown.join(', ')}${found.length > shown.length ? ', …' : ''}.`
}

const mostDepth = 4
const notSources = new Set(['node_modules', 'target', 'dist', 'bin', 'obj'])

/** The folders whose manifest names the bindings of modules. */
async function modulesBelow(folder: string, workspace: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const here = (await usesBindings(folder, entries)) ? [folder] : []
  if (depth === 0) return here
  const folders = entries.filter(
    (each) => each.isDirectory() && !each.name.startsWith('.') && !notSources.has(each.name)
  )
  const below = await Promise.all(folders.map(({ name }) => modulesBelow(join(folder, name), workspace, depth - 1)))
  return [...here, ...below.flat()]
}

async function usesBindings(folder: string, entries: readonly { readonly name: string }[]): Promise<boolean> {
  const manifests = entries.filter(
    ({ name }) => name === 'Cargo.toml' || name === 'package.json' || /\.csproj$/.test(name)
  )
  const texts = await Promise.all(manifests.map(({ name }) => readFile(join(folder, name), 'utf8').catch(() => '')))
  return texts.some((text) =>
    /^\[package]/m.test(text)
      ? /\bcdylib\b/.test(text) && /^spacetimedb\b/m.test(text)
      : /"(spacetimedb|SpacetimeDB\.Runtime)"/.test(text)
  )
}
