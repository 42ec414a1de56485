import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import semver from 'semver'
import type { Environment } from '../../src/action/inputs.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { loadDescribedModule, type Manifest, manifestName } from '../../src/build/manifest.ts'
import { ConfigurationError } from '../../src/errors.ts'
import type { ModuleHash } from '../../src/module/hash.ts'
import { loadModule } from '../../src/module/load.ts'
import type { Module } from '../../src/module/module.ts'
import type { ProjectVersion } from '../../src/setup/project-version.ts'
import { versionOfModules } from '../installing.ts'
import { downloadRunArtifact } from '../run-artifact.ts'
import type { spec } from './spec.ts'

type SmokeInputs = Inputs<typeof spec>

/** The module that is to be checked, where the job has it. */
export type WantedModule = {
  readonly module: Module
  readonly path: string
  /** What `build-module` noted beside it. */
  readonly manifest: Manifest | undefined
}

/**
 * The module that the inputs name, from a file or from an artifact of this run, which is put into `folder`. Throws a
 * `ConfigurationError` when it is not there, is no module, or not the one of `module-hash`.
 */
export async function wantedModule(
  inputs: SmokeInputs,
  folder: string,
  environment: Environment
): Promise<WantedModule | undefined> {
  const wanted = await givenModule(inputs, folder, environment)
  const hash = givenHash(inputs)
  if (wanted && hash !== undefined && hash !== wanted.module.hash) {
    throw new ConfigurationError(
      `The module of ${inputs.artifact === undefined ? `\`module\` (${wanted.path})` : `\`artifact\` (${inputs.artifact})`} has the hash ${wanted.module.hash}, not ${hash} as \`module-hash\` says. Leave one of them out, or correct it.`
    )
  }
  return wanted
}

/** The hash that the inputs say has to be live. */
export function givenHash({ moduleHash }: SmokeInputs): ModuleHash | undefined {
  return moduleHash?.toLowerCase() as ModuleHash | undefined
}

async function givenModule(
  { module: path, artifact }: SmokeInputs,
  folder: string,
  environment: Environment
): Promise<WantedModule | undefined> {
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
  { manifest }: WantedModule,
  path: string | undefined,
  workspace: string
): Promise<ProjectVersion> {
  const version = path === undefined ? semver.valid(manifest?.bindingsVersion) : null
  if (version === null) return versionOfModules(path, workspace)
  return { kind: 'exact', version, reason: `${manifestName} beside the module says that its bindings are ${version}` }
}
