import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { log } from '../../src/action/log.ts'
import { parseManifest } from '../../src/build/manifest.ts'
import { ConfigurationError } from '../../src/errors.ts'
import { moduleOfImage } from '../../src/image/oci/image-module.ts'
import { type FetchedModule, fetchArtifact } from '../../src/image/oci/module-artifact.ts'
import type { ModuleOrigin } from '../../src/image/oci/module-manifest.ts'
import { parseReference, type Reference } from '../../src/image/oci/reference.ts'
import type { Registry } from '../../src/image/oci/registry.ts'
import type { ReleaseNotes } from '../../src/release/ledger/record.ts'
import { moduleRegistry } from '../module-registry.ts'
import { registryAt } from '../registry.ts'
import { type ReleasingStep, stepFolder } from '../releasing.ts'
import type { Source, SourceInputs } from './source.ts'

/**
 * Fetches the module that the input `from-image` names: an artifact, or an image that says where its module's artifact is. Where
 * a tag leads is told. Throws a `ConfigurationError` when it is not there, no such image, or holds another module than the
 * image says.
 */
export async function fetchFromImage(text: string, inputs: SourceInputs, step: ReleasingStep): Promise<Source> {
  const reference = parseReference(text, 'The input `from-image`')
  const registryOf = (host: string) => openFor(host, reference, inputs, step)
  const found = await moduleOfImage(await registryOf(reference.host), reference)
  if (found === undefined) return toSource(await fetchArtifact(await registryOf(reference.host), reference), {}, step)
  const { image, artifact, hash } = found
  if (image !== text) log(`${text} is ${image}.`)
  const fetched = await fetchArtifact(await registryOf(artifact.host), artifact)
  if (hash !== undefined && hash !== fetched.module.hash) {
    throw new ConfigurationError(
      `${image} says that its module is ${hash}, and ${fetched.reference}, where it says that this is stored, holds ${fetched.module.hash}. Nothing was deployed: see who made that image.`
    )
  }
  return toSource(fetched, { image }, step)
}

/** A password that is given goes to the registry that the input names, and to no other. */
function openFor(
  host: string,
  reference: Reference,
  { username, password, githubToken }: SourceInputs,
  { environment, cancellation: { signal } }: ReleasingStep
): Promise<Registry> {
  if (password === undefined || host !== reference.host) return moduleRegistry(host, githubToken, environment, signal)
  const user = username ?? (host === 'ghcr.io' ? environment.GITHUB_ACTOR : undefined)
  if (user === undefined) {
    throw new ConfigurationError(`Give \`username\` too: who logs in to ${host} with the \`password\`.`)
  }
  return Promise.resolve(registryAt(host, { username: user, password }, signal))
}

async function toSource(
  { module, origin, reference }: FetchedModule,
  notes: Partial<ReleaseNotes>,
  { environment }: ReleasingStep
): Promise<Source> {
  log(`The module ${module.hash} is from ${reference}.`)
  const folder = join(stepFolder(environment), 'module')
  await mkdir(folder, { recursive: true })
  const path = join(folder, `module.${module.kind}`)
  await writeFile(path, module.bytes)
  const manifest =
    origin.manifest === undefined ? undefined : parseManifest(origin.manifest, `module.json of ${reference}`)
  return { kind: 'module', module, path, manifest, notes: { ...notes, moduleArtifact: reference, ...madeOf(origin) } }
}

/** The commit that it was built from is not this run's, whether it is known or not. */
function madeOf({ revision }: ModuleOrigin): Partial<ReleaseNotes> {
  return { commit: revision, ref: undefined }
}
