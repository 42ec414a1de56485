import { log } from '../src/action/log.ts'
import { maskSecret } from '../src/action/masking.ts'
import { systemClock } from '../src/clock.ts'
import type { Credential } from '../src/image/oci/authorization.ts'
import { openRegistry, type Registry, registryPatience } from '../src/image/oci/registry.ts'
import { createTransport } from '../src/spacetimedb/transport.ts'
import { version } from '../src/version.ts'

/** A registry, spoken to without docker; without a credential only what is public can be had of it. */
export function registryAt(host: string, credential: Credential | undefined, signal?: AbortSignal): Registry {
  return openRegistry({
    host,
    credential,
    network: {
      transport: createTransport(`stdb-actions/${version}`),
      clock: systemClock,
      patience: registryPatience,
      onRetry: log,
      signal
    },
    onSecret: maskSecret
  })
}
