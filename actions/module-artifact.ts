import { log } from '../src/action/log.ts'
import { formatManifest } from '../src/build/manifest.ts'
import type { Credential } from '../src/image/oci/authorization.ts'
import { type PushedModule, pushModule } from '../src/image/oci/module-artifact.ts'
import { type ModuleOrigin, packModule } from '../src/image/oci/module-manifest.ts'
import { formatReference } from '../src/image/oci/reference.ts'
import type { GivenModule } from './given-module.ts'
import type { Plan } from './image-plan.ts'
import { registryAt } from './registry.ts'

/** Where a module's own artifact goes, and what is known of where it comes from. */
export type ArtifactPlan = Pick<Plan, 'images' | 'time' | 'commit' | 'source' | 'tags'>

/**
 * Stores the module alone in the repository of the first image. Its tag is of its manifest's digest, so it is never moved: the
 * same module of another commit has another one. It keeps the artifact from being removed as something that nobody names.
 */
export async function pushModuleArtifact(
  given: GivenModule,
  plan: ArtifactPlan,
  credential: Credential | undefined,
  cancelled: AbortSignal
): Promise<PushedModule> {
  const [{ host, repository }] = plan.images
  const tag = (digest: string) => `module-${digest.slice('sha256:'.length).slice(0, 12)}`
  const toPush = { repository, tag, module: given.module, origin: originOf(given, plan) }
  const pushed = await pushModule(registryAt(host, credential, cancelled), toPush)
  log(`The module is stored as ${pushed.reference}.`)
  return pushed
}

/** What the module's artifact is going to be called: `ghcr.io/owner/game@sha256:…`. */
export function moduleArtifactReference(given: GivenModule, plan: ArtifactPlan): string {
  const [{ host, repository }] = plan.images
  const { digest } = packModule(given.module, originOf(given, plan)).manifest
  return formatReference({ host, repository, digest })
}

function originOf({ manifest }: GivenModule, { time, commit, source, tags }: ArtifactPlan): ModuleOrigin {
  return {
    created: new Date(time * 1000).toISOString(),
    revision: commit,
    source,
    version: tags[0],
    bindingsVersion: manifest?.bindingsVersion,
    manifest: manifest && formatManifest(manifest)
  }
}
