import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { BuildOptions } from './options.ts'
import { defaultBuildOptions } from './options.ts'
import { findProject, type ModuleProject, nameIn, projectAt } from './project.ts'
import { readSpacetimeJson, type SpacetimeJson, type Target } from './spacetime-json.ts'

/** A module to build, once for all databases that get it. */
export type PlannedBuild = {
  readonly project: ModuleProject
  readonly options: BuildOptions
  /** Those that spacetime.json names; none without it. */
  readonly databases: readonly Database[]
}

export type Database = {
  readonly name: string
  /** As spacetime.json says it: a nickname, a host or a URL. */
  readonly server?: string
}

/** What there is to build in a repository. */
export type BuildPlan = {
  /** In the order of spacetime.json; one where there is none. Empty when all databases have a module that is built already. */
  readonly builds: readonly PlannedBuild[]
  /** Databases whose module is a file of the repository: there is nothing to build. */
  readonly prebuilt: readonly { readonly file: string; readonly databases: readonly Database[] }[]
  /** The files of the configuration that was followed, absolute. */
  readonly configuration: readonly string[]
}

export type PlanRequest = {
  /** What the user gave, from the workspace; `undefined` to look for it. */
  readonly path: string | undefined
  /** The environment whose spacetime.ENV.json lies over spacetime.json. */
  readonly environment: string | undefined
  /** Absolute. */
  readonly workspace: string
}

/**
 * Finds what is to be built. A `path` is a module project, or a folder with a spacetime.json; without one, the nearest
 * spacetime.json of the workspace's folder counts, else `spacetimedb/`, else the folder itself. Of a spacetime.json above
 * a `path`, what it says of that project holds. Throws a `ConfigurationError` for what the user can mend.
 */
export async function planBuilds({ path, environment, workspace }: PlanRequest): Promise<BuildPlan> {
  const start = resolve(workspace, path ?? '.')
  const config = await readSpacetimeJson({ start, topmost: workspace, environment })
  if (path === undefined || (await readdir(start).catch((): string[] => [])).includes('spacetime.json')) {
    return config === undefined ? planOf(await findProject(start, workspace)) : planFrom(config, workspace)
  }
  const project = await projectAt(start, workspace, `\`${path}\``)
  return config === undefined ? planOf(project) : planOfOne(project, config, workspace)
}

function planOf(project: ModuleProject, options = defaultBuildOptions): BuildPlan {
  return { builds: [{ project, options, databases: [] }], prebuilt: [], configuration: [] }
}

/** Only what the configuration says of one project, if it names it. */
async function planOfOne(project: ModuleProject, config: SpacetimeJson, workspace: string): Promise<BuildPlan> {
  const targets = config.targets.filter(({ source }) => source.kind === 'project')
  const places = await Promise.all(targets.map((target) => usualFolder(target, config)))
  const own = targets.filter((_, at) => places[at] === project.folder)
  return own.length === 0 ? planOf(project) : planFrom({ ...config, targets: own }, workspace)
}

async function usualFolder({ source }: Target, { folder }: SpacetimeJson): Promise<string | undefined> {
  if (source.kind === 'file') return undefined
  return source.folder ?? (await findProject(folder, folder).catch(() => undefined))?.folder
}

async function planFrom({ folder, files, targets }: SpacetimeJson, workspace: string): Promise<BuildPlan> {
  const builds = new Map<string, PlannedBuild>()
  const prebuilt = new Map<string, readonly Database[]>()
  for (const target of targets) {
    const { source, options } = target
    if (source.kind === 'file') {
      prebuilt.set(source.file, [...(prebuilt.get(source.file) ?? []), ...databasesOf(target)])
    } else {
      const project = await projectOf(source.folder, folder, workspace)
      const key = JSON.stringify([project.folder, Object.entries(options).sort()])
      const databases = [...(builds.get(key)?.databases ?? []), ...databasesOf(target)]
      builds.set(key, { project, options, databases })
    }
  }
  return {
    builds: [...builds.values()],
    prebuilt: [...prebuilt].map(([file, databases]) => ({ file, databases })),
    configuration: files
  }
}

function projectOf(folder: string | undefined, configured: string, workspace: string): Promise<ModuleProject> {
  if (folder === undefined) return findProject(configured, workspace)
  const name = `${nameIn(workspace, folder)} (\`module-path\` in ${nameIn(workspace, join(configured, 'spacetime.json'))})`
  return projectAt(folder, workspace, name)
}

function databasesOf({ database, server }: Target): Database[] {
  return database === undefined ? [] : [{ name: database, ...(server !== undefined && { server }) }]
}
