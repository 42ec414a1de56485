import { log } from '../../src/action/log.ts'
import { maskSecret } from '../../src/action/masking.ts'
import { formatManifest } from '../../src/build/manifest.ts'
import { systemClock } from '../../src/clock.ts'
import type { Credential } from '../../src/image/oci/authorization.ts'
import { type PushedModule, pushModule } from '../../src/image/oci/module-artifact.ts'
import { openRegistry, registryPatience } from '../../src/image/oci/registry.ts'
import { createTransport } from '../../src/spacetimedb/transport.ts'
import { version as ownVersion } from '../../src/version.ts'
import type { GivenModule } from '../given-module.ts'
import type { Plan } from './plan.ts'

/**
 * Stores the module alone in the repository of the first image. Its tag is of its manifest's digest, so it is never moved: the
 * same module of another commit has another one. It keeps the artifact from being removed as something that nobody names.
 */
export async function pushModuleArtifact(
  { module, manifest }: GivenModule,
  { images, time, commit, source, tags }: Plan,
  credential: Credential | undefined,
  cancelled: AbortSignal
): Promise<PushedModule> {
  const [{ host, repository }] = images
  const registry = openRegistry({
    host,
    credential,
    network: {
      transport: createTransport(`stdb-actions/${ownVersion}`),
      clock: systemClock,
      patience: registryPatience,
      onRetry: log,
      signal: cancelled
    },
    onSecret: maskSecret
  })
  const origin = {
    created: new Date(time * 1000).toISOString(),
    revision: commit,
    source,
    version: tags[0],
    bindingsVersion: manifest?.bindingsVersion,
    manifest: manifest && formatManifest(manifest)
  }
  const tag = (digest: string) => `module-${digest.slice('sha256:'.length).slice(0, 12)}`
  const pushed = await pushModule(registry, { repository, tag, module, origin })
  log(`The module is stored as ${pushed.reference}.`)
  return pushed
}
