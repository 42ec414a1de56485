import { afterEach } from '@jest/globals'
import type { Credential } from '../../../src/image/oci/authorization.ts'
import { openRegistry, type Registry } from '../../../src/image/oci/registry.ts'
import { moduleFromBytes } from '../../../src/module/load.ts'
import type { Module } from '../../../src/module/module.ts'
import { tinyModule } from '../../module/tiny-module.ts'
import { hastyNetwork } from '../../setup/http-server.ts'
import { type RegistryOptions, type RegistryStandIn, startRegistry } from '../../stand-ins/registry.ts'

export type Opened = {
  readonly server: RegistryStandIn
  readonly registry: Registry
  /** Told as secrets. */
  readonly secrets: readonly string[]
  readonly retries: readonly string[]
}

/** Starts registries that end after each test, and opens them. */
export function registries(): (options?: RegistryOptions, credential?: Credential) => Promise<Opened> {
  const started: RegistryStandIn[] = []
  afterEach(async () => void (await Promise.all(started.splice(0).map((server) => server.close()))))
  return async (options, credential) => {
    const server = await startRegistry(options)
    started.push(server)
    return { server, ...open(server.host, credential) }
  }
}

/** A registry without waits between tries. `idle` in milliseconds. */
export function open(host: string, credential?: Credential, idle?: number): Omit<Opened, 'server'> {
  const secrets: string[] = []
  const network = hastyNetwork()
  const registry = openRegistry({
    host,
    credential,
    network,
    onSecret: (secret) => secrets.push(secret),
    ...(idle && { idle })
  })
  return { registry, secrets, retries: network.retries }
}

export const module: Module = moduleFromBytes(tinyModule({ panics: 'a module to store' }))
export const otherModule: Module = moduleFromBytes(tinyModule({ panics: 'another module' }))
