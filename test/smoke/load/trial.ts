import { systemClock } from '../../../src/clock.ts'
import { hashModule } from '../../../src/module/hash.ts'
import type { Module } from '../../../src/module/module.ts'
import type { CheckPlace } from '../../../src/smoke/place.ts'
import { connect } from '../../../src/spacetimedb/client.ts'
import { tokenCredential } from '../../../src/spacetimedb/credential.ts'
import type { Server } from '../../../src/spacetimedb/server.ts'
import { type EmbeddedServer, startServer } from '../../embedded/server.ts'
import { fixtureModule } from '../../fixtures.ts'
import { emptySchema } from '../model-place.ts'

export { checkOf } from '../kinds/trial.ts'

/** What nobody checks but the embedded server: it has to look like a token. */
export const someToken = [{ alg: 'none' }, { iss: 'localhost', sub: 'load', iat: 1 }, {}]
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .join('.')

/** A server's database `counter`, as checks see it. */
export function placeAt(url: string, token: string = someToken): CheckPlace {
  const patience = { attempts: 2, firstDelay: 20 }
  return {
    server: connect({ url, credential: tokenCredential(token), patience }),
    anonymous: connect({ url, patience }),
    database: 'counter',
    expectedHash: undefined,
    schema: emptySchema,
    since: { after: 0n, what: 'start' },
    isThrowAway: true,
    clock: systemClock,
    cancelled: new AbortController().signal
  }
}

export type CounterServer = { readonly embedded: EmbeddedServer; readonly owner: Server; readonly place: CheckPlace }

/** An embedded server with the module `counter` as the database of that name. */
export async function startCounter(): Promise<CounterServer> {
  const embedded = await startServer()
  const place = placeAt(embedded.url, await embedded.issueToken('owner'))
  const bytes = fixtureModule('counter.wasm')
  const module: Module = { bytes, hash: hashModule(bytes), kind: 'wasm' }
  const answer = await place.server.publishFirst('counter', module)
  if (answer.kind !== 'published') throw new Error(`it was not published: ${answer.kind}`)
  return { embedded, owner: place.server, place }
}

/** What a try of a check is given: time enough, unless told otherwise. */
export function attempt(
  signal: AbortSignal = new AbortController().signal,
  othersOver: AbortSignal = AbortSignal.abort()
) {
  return { timeout: 20_000, signal, othersOver }
}
