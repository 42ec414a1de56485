import { log } from '../../src/action/log.ts'
import { maskSecret } from '../../src/action/masking.ts'
import { formatManifest } from '../../src/build/manifest.ts'
import { systemClock } from '../../src/clock.ts'
import { type PushedModule, pushModule } from '../../src/image/oci/module-artifact.ts'
import { openRegistry, registryPatience } from '../../src/image/oci/registry.ts'
import type { Login } from '../../src/image/registry-login.ts'
import { createTransport } from '../../src/spacetimedb/transport.ts'
import { version as ownVersion } from '../../src/version.ts'
import type { GivenModule } from '../given-module.ts'
import type { Plan } from './plan.ts'

/**
 * Stores the module alone in the repository of the first image. Its tag names it by its content, so it is never moved, and
 * keeps it from being removed as something that nobody names.
 */
export async function pushModuleArtifact(
  { module, manifest }: GivenModule,
  { images, time, commit, source, tags }: Plan,
  login: Login | undefined,
  cancelled: AbortSignal
): Promise<PushedModule> {
  const [{ host, repository }] = images
  const registry = openRegistry({
    host,
    credential: login?.registry === host ? login : undefined,
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
  const tag = `module-${module.hash.slice(0, 16)}`
  const pushed = await pushModule(registry, { repository, tag, module, origin })
  log(`The module is stored as ${pushed.reference}.`)
  return pushed
}
