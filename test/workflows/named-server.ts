import { type ModuleHash, moduleHashFromU256 } from '../../src/module/hash.ts'
import { startServer } from '../embedded/server.ts'
import { fixtureModule } from '../fixtures.ts'

/** A SpacetimeDB server, which jobs reach by its name over TLS. */
export type NamedServer = {
  readonly url: string
  /** The owner's of what it publishes. */
  readonly token: string
  /** Publishes a fixture as another tool would. Throws when that fails. */
  publish(database: string, module: string): Promise<void>
  /** Of the module that a database has; `undefined` where there is none. */
  liveHash(database: string): Promise<ModuleHash | undefined>
  close(): Promise<unknown>
}

/** The port of a server on loopback. */
export function portOf(url: string): number {
  return Number(new URL(url).port)
}

export async function startNamedServer(): Promise<NamedServer> {
  const { url, issueToken, close } = await startServer()
  const token = await issueToken('owner')
  const ask = async (path: string, request: RequestInit) => {
    const answer = await fetch(`${url}/v1/database/${path}`, request)
    return { ok: answer.ok, text: await answer.text() }
  }
  return {
    url,
    token,
    publish: async (database, module) => {
      const body = fixtureModule(`${module}.wasm`)
      const { ok, text } = await ask(database, { method: 'PUT', headers: { authorization: `Bearer ${token}` }, body })
      if (!ok) throw new Error(text)
    },
    liveHash: async (database) => {
      const { ok, text } = await ask(`${database}/sql`, { method: 'POST', body: 'SELECT program_hash FROM st_module' })
      const hash = /0x[0-9a-f]+/i.exec(text)?.[0]
      return ok && hash !== undefined ? moduleHashFromU256(hash) : undefined
    },
    close
  }
}
