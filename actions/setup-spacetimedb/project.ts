import { planBuilds } from '../../src/build/plan.ts'
import { ConfigurationError } from '../../src/errors.ts'
import { type ProjectVersion, projectVersion } from '../../src/setup/project-version.ts'

/**
 * The version that the modules of a repository are for: those that build-module would build there. `path` is from the
 * workspace. Throws a `ConfigurationError` when there is none, or when they are for several.
 */
export async function versionOfModules(path: string | undefined, workspace: string): Promise<ProjectVersion> {
  const { builds } = await planBuilds({ path, environment: undefined, workspace })
  const folders = [...new Set(builds.map(({ project }) => project.folder))]
  const versions = await Promise.all(folders.map((folder) => projectVersion(folder, workspace)))
  const [first] = versions
  if (first === undefined) {
    throw new ConfigurationError(
      'The spacetime.json names only modules that are built already, which do not tell the version of SpacetimeDB. Give the input `version`, such as `2.8.3`.'
    )
  }
  if (new Set(versions.map(textOf)).size === 1) return first
  throw new ConfigurationError(
    `The modules of this repository are for several versions of SpacetimeDB: ${versions.map(({ reason }) => reason).join('; ')}. Give the input \`version\`, or one module's folder by the input \`path\`.`
  )
}

function textOf(version: ProjectVersion): string {
  return version.kind === 'exact' ? version.version : version.range
}
