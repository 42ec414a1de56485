import { mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import type { Clock } from '../clock.ts'
import type { ModuleHash } from '../module/hash.ts'
import { loadModule } from '../module/load.ts'
import type { Module } from '../module/module.ts'
import type { Schema } from '../module/schema.ts'
import { version } from '../version.ts'
import type { Built } from './build.ts'
import { findLockFile } from './lock-file.ts'
import { type Manifest, manifestName, sha256Of, writeManifest } from './manifest.ts'
import type { Database, PlannedBuild } from './plan.ts'
import { formatSchema, writeSchema } from './schema-file.ts'

/** A module that is built, described and written down: a folder of three files. */
export type ProducedModule = {
  /** Of the file, without its end; no other module of the step has it. */
  readonly name: string
  readonly databases: readonly Database[]
  /** Absolute. All of it is one artifact. */
  readonly folder: string
  /** Absolute. */
  readonly files: { readonly module: string; readonly schema: string; readonly manifest: string }
  readonly manifest: Manifest
  readonly schema: Schema
  readonly hash: ModuleHash
  readonly built: Built
}

export type ProduceTools = {
  readonly describe: (module: Module) => Promise<Schema>
  readonly clock: Clock
  /** Absolute. */
  readonly workspace: string
  /** Where a folder for each module is made; absolute. */
  readonly folder: string
  readonly source: Manifest['source']
}

/**
 * Takes what a build made out of the project, describes it and writes down what it is: so the project can be built again
 * without changing what was published. Throws a `ConfigurationError` when what was built is no module.
 */
export async function produceModule(
  { project, databases }: PlannedBuild,
  built: Built,
  name: string,
  { describe, clock, workspace, folder: root, source }: ProduceTools
): Promise<ProducedModule> {
  const module = await loadModule(built.file)
  const schema = await describe(module)
  const folder = join(root, name)
  const path = (file: string) => join(folder, file)
  const files = { module: path(`${name}.${module.kind}`), schema: path('schema.json'), manifest: path(manifestName) }
  await mkdir(folder, { recursive: true })
  await writeFile(files.module, module.bytes)
  await writeSchema(files.schema, schema)
  const lock = await findLockFile(project, workspace)
  const manifest: Manifest = {
    tool: `stdb-actions ${version}`,
    createdAt: new Date(clock.now()).toISOString(),
    module: {
      file: basename(files.module),
      kind: module.kind,
      hash: module.hash,
      sha256: sha256Of(module.bytes),
      size: module.bytes.length
    },
    schema: { file: basename(files.schema), sha256: sha256Of(formatSchema(schema)) },
    databases,
    language: built.language,
    builder: built.builder,
    ...(built.bindings.kind === 'locked' && { bindingsVersion: built.bindings.version }),
    versions: built.tools,
    project: inRepository(workspace, project.folder),
    ...(lock && { lockFile: { path: inRepository(workspace, lock.path), sha256: lock.sha256 } }),
    source
  }
  await writeManifest(files.manifest, manifest)
  return { name, databases, folder, files, manifest, schema, hash: module.hash, built }
}

/**
 * Names for the files of modules: after the database, else the crate or the project's folder; each another one, and legal
 * in every file system and in the name of an artifact.
 */
export function moduleNames(builds: readonly { readonly build: PlannedBuild; readonly file: string }[]): string[] {
  const taken = new Set<string>()
  return builds.map(({ build, file }) => {
    const name = plainName(build, file)
    const free =
      [name, ...builds.map((_, at) => `${name}-${at + 2}`)].find((each) => !taken.has(each.toLowerCase())) ?? name
    taken.add(free.toLowerCase())
    return free
  })
}

function plainName({ project, databases }: PlannedBuild, file: string): string {
  const [database] = databases
  const crate = project.language === 'rust' ? basename(file).replace(/(\.opt)?\.wasm$/, '') : undefined
  const place = basename(project.folder) === 'spacetimedb' ? dirname(project.folder) : project.folder
  const name = (database?.name ?? crate ?? basename(place)).replace(/[^\w-]+/g, '-').replace(/^-+|-+$/g, '')
  return name || 'module'
}

function inRepository(workspace: string, path: string): string {
  return relative(workspace, path).split(sep).join('/') || '.'
}
