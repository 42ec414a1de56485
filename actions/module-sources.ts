import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { inputsAndState, withoutVariables } from '../src/action/hidden-variables.ts'
import type { Environment } from '../src/action/inputs.ts'
import { artifactOf, artifactsNamed, type RepositoryArtifact } from '../src/github/repository-artifacts.ts'
import type { ModuleHash } from '../src/module/hash.ts'
import { maxModuleSize, moduleFromBytes } from '../src/module/load.ts'
import type { Module } from '../src/module/module.ts'
import type { ReleaseRecord } from '../src/release/ledger/record.ts'
import { fileSource, liveSource, type ModuleSource, moduleInFolder } from '../src/release/module-sources.ts'
import type { Server } from '../src/spacetimedb/server.ts'
import { keptModuleName } from './keep-module.ts'
import { type OwnRepository, ownRepository } from './own-repository.ts'

export type SourceInputs = {
  /** A file that is said to be the module. */
  readonly path?: string | undefined
  /** A database that may run the module now. */
  readonly live?: { readonly server: Server; readonly database: string } | undefined
  readonly githubToken: string | undefined
  /** Where artifacts are unpacked. */
  readonly folder: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Where the bytes of a release's module may be, the nearest first: a given file, the live database, the artifact of a run
 * that saved it before publishing over it, and what the release's record names: build-module's artifact, the artifact in a
 * registry, a file of the GitHub release of its tag.
 */
export function sourcesFor(
  record: ReleaseRecord | undefined,
  { path, live, githubToken, folder, signal }: SourceInputs,
  environment: Environment
): readonly ModuleSource[] {
  const own = ownRepository(environment, githubToken)
  const tag = /^refs\/tags\/(.+)$/.exec(record?.ref ?? '')?.[1]
  const { artifact, moduleArtifact, commit } = record ?? {}
  return [
    ...(path === undefined ? [] : [fileSource(path)]),
    ...(live === undefined ? [] : [liveSource(live.server, live.database)]),
    ...(own === undefined ? [] : [savedSource(own, folder, environment)]),
    ...(own === undefined || artifact === undefined ? [] : [builtSource(own, artifact, commit, folder, environment)]),
    ...(moduleArtifact === undefined ? [] : [registrySource(moduleArtifact, githubToken, environment, signal)]),
    ...(own === undefined || tag === undefined ? [] : [assetSource(own, tag)])
  ]
}

function savedSource(own: OwnRepository, folder: string, environment: Environment): ModuleSource {
  return {
    name: 'what a run saved before it published over it',
    fetch: (hash) => fetchNamed(own, keptModuleName(hash), () => true, hash, folder, environment)
  }
}

function builtSource(
  own: OwnRepository,
  { name, id }: NonNullable<ReleaseRecord['artifact']>,
  commit: string | undefined,
  folder: string,
  environment: Environment
): ModuleSource {
  return {
    name: `the artifact \`${name}\` that it was built as`,
    fetch: async (hash) => {
      if (id === undefined) {
        return fetchNamed(own, name, (artifact) => artifact.commit === commit, hash, folder, environment)
      }
      const found = await artifactOf(own.api, { ...own, id })
      if (found.kind !== 'ok') throw new Error(found.reason)
      return fetchFirst(own, [found.value], hash, folder, environment)
    }
  }
}

/** On a busy repository many have one name; the newest are asked for first. */
const mostPages = 5

async function fetchNamed(
  own: OwnRepository,
  name: string,
  isWanted: (artifact: RepositoryArtifact) => boolean,
  hash: ModuleHash,
  folder: string,
  environment: Environment
): Promise<Module | undefined> {
  const wanted: RepositoryArtifact[] = []
  let pages = 0
  for await (const page of artifactsNamed(own.api, { ...own, name })) {
    if (page.kind !== 'ok') throw new Error(page.reason)
    wanted.push(...page.value.filter(isWanted))
    pages += 1
    if (wanted.some(({ isExpired }) => !isExpired) || pages === mostPages) break
  }
  return fetchFirst(own, wanted, hash, folder, environment)
}

/** Downloads those that are still kept, the newest first, until one has the module. Throws when none does and one could not be had. */
async function fetchFirst(
  { owner, repository, token }: OwnRepository,
  artifacts: readonly RepositoryArtifact[],
  hash: ModuleHash,
  folder: string,
  environment: Environment
): Promise<Module | undefined> {
  const kept = artifacts.filter(({ isExpired }) => !isExpired).sort((one, other) => other.id - one.id)
  const [first] = artifacts
  if (first !== undefined && kept.length === 0) throw new Error(`the artifact ${first.name} has expired`)
  const { gitHubArtifacts } = await import('../src/github/artifacts.ts')
  const client = gitHubArtifacts({ environment, timeout: 60_000 })
  let other: Module | undefined
  let failure: string | undefined
  for (const artifact of kept.slice(0, mostDownloads)) {
    const target = join(folder, `artifact-${artifact.id}`)
    await mkdir(target, { recursive: true })
    const from = { owner, repository, token }
    const downloaded = await withoutVariables(inputsAndState, () => client.download(artifact, target, from))
    if (downloaded.kind === 'failed') {
      failure ??= downloaded.reason
      continue
    }
    const module = await moduleInFolder(target, hash)
    if (module?.hash === hash) return module
    other ??= module
  }
  if (failure !== undefined) throw new Error(failure)
  return other
}

const mostDownloads = 3

function registrySource(
  text: string,
  githubToken: string | undefined,
  environment: Environment,
  signal: AbortSignal | undefined
): ModuleSource {
  return {
    name: `the artifact ${text} in its registry`,
    fetch: async () => {
      const { parseReference } = await import('../src/image/oci/reference.ts')
      const { fetchModule } = await import('../src/image/oci/module-artifact.ts')
      const { moduleRegistry } = await import('./module-registry.ts')
      const reference = parseReference(text, "The release's `moduleArtifact`")
      return fetchModule(await moduleRegistry(reference.host, githubToken, environment, signal), reference)
    }
  }
}

function assetSource(own: OwnRepository, tag: string): ModuleSource {
  return {
    name: `the files of the GitHub release ${tag}`,
    fetch: async (hash) => {
      const { downloadAsset, releaseAssets } = await import('../src/github/release-assets.ts')
      const found = await releaseAssets(own.api, { ...own, tag })
      if (found.kind !== 'ok') throw new Error(found.reason)
      const modules = found.value.filter(({ name, size }) => /\.(wasm|m?js)$/i.test(name) && size <= maxModuleSize)
      let other: Module | undefined
      for (const asset of modules.slice(0, mostAssets)) {
        const bytes = await downloadAsset(own.api, own, asset)
        if (bytes.kind !== 'ok') throw new Error(bytes.reason)
        const module = moduleFromBytes(bytes.value, asset.name.endsWith('.wasm') ? 'wasm' : 'js')
        if (module.hash === hash) return module
        other ??= module
      }
      return other
    }
  }
}

const mostAssets = 10
