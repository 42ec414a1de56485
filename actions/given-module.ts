import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import semver from 'semver'
import type { Environment } from '../src/action/inputs.ts'
import { loadDescribedModule, type Manifest, manifestName } from '../src/build/manifest.ts'
import { ConfigurationError } from '../src/errors.ts'
import { loadModule } from '../src/module/load.ts'
import type { Module } from '../src/module/module.ts'
import type { ProjectVersion } from '../src/setup/project-version.ts'
import { versionOfModules } from './installing.ts'
import { downloadRunArtifact } from './run-artifact.ts'

/** A module that a step was given. */
export type GivenModule = {
  readonly module: Module
  readonly path: string
  /** What `build-module` noted beside it. */
  readonly manifest: Manifest | undefined
}

/**
 * The module of the inputs `module` (a file) or `artifact` (of this run, which is put into `folder`); none when neither is
 * given. Throws a `ConfigurationError` when it is not there or no module.
 */
export async function givenModule(
  { module: path, artifact }: { readonly module: string | undefined; readonly artifact: string | undefined },
  folder: string,
  environment: Environment
): Promise<GivenModule | undefined> {
  if (artifact !== undefined) {
    await downloadRunArtifact({ name: artifact, input: 'artifact' }, folder, environment)
    const { manifest, module } = await loadDescribedModule(join(folder, manifestName))
    return { module, manifest, path: join(folder, manifest.module.file) }
  }
  if (path === undefined) return undefined
  const beside = join(dirname(path), manifestName)
  const module = await loadModule(path)
  if (!existsSync(beside)) return { module, path, manifest: undefined }
  const described = await loadDescribedModule(beside).catch(() => undefined)
  return { module, path, manifest: described?.module.hash === module.hash ? described.manifest : undefined }
}

/**
 * The version of SpacetimeDB that a module is for: that of its bindings, as `build-module` noted it, else by the sources.
 * Throws a `ConfigurationError` when neither tells.
 */
export async function versionOf(
  { manifest }: GivenModule,
  path: string | undefined,
  workspace: string
): Promise<ProjectVersion> {
  const version = path === undefined ? semver.valid(manifest?.bindingsVersion) : null
  if (version === null) {
    return versionOfModules(path, workspace).catch((error) => {
      if (!(error instanceof ConfigurationError)) throw error
      throw new ConfigurationError(
        `Which version of SpacetimeDB the module is for is not known: give the input \`version\`, such as \`2.8.3\`. It was looked for in the project's lock file. ${error.message}`
      )
    })
  }
  return { kind: 'exact', version, reason: `${manifestName} beside the module says that its bindings are ${version}` }
}

/** As `givenModule`, for an action whose rules let nothing through without one. */
export async function requiredModule(
  inputs: Parameters<typeof givenModule>[0],
  folder: string,
  environment: Environment
): Promise<GivenModule> {
  const given = await givenModule(inputs, folder, environment)
  if (given === undefined) throw new ConfigurationError('Give a module: the input `module` or `artifact`.')
  return given
}
