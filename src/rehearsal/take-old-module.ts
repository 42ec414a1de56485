import { orCancelled } from '../cancellation.ts'
import { ConfigurationError, messageOf } from '../errors.ts'
import type { Module } from '../module/module.ts'
import type { Schema } from '../module/schema.ts'
import { publishFirst } from '../release/publish-first.ts'
import { ServerFailure } from '../spacetimedb/server.ts'
import { copiedValues } from './copied-values.ts'
import type { LiveDatabase, OldModule } from './rehearsal.ts'
import { type Ended, failedAt, type OldRelease, type Rehearsing } from './rehearsing.ts'

type Existing = Exclude<OldModule, { kind: 'none' }>

/** Takes the module that is to be replaced, and publishes it to the server that is thrown away. */
export async function bringOldModule(rehearsing: Rehearsing, old: Existing): Promise<Ended | undefined> {
  const { tools, journal, found, request } = rehearsing
  try {
    const taken = await orCancelled(
      journal.step(titles[old.kind], async (step) => {
        const taken = await take(rehearsing, old)
        step.detail(`${taken.module.hash.slice(0, 12)}, ${taken.module.bytes.length} bytes`)
        return taken
      }),
      tools.cancelled
    )
    if (taken === 'cancelled') return { kind: 'cancelled', stage: found.stage }
    found.old = taken
    found.copied = copiedValues(taken.schema)
  } catch (failure) {
    const isConfiguration = failure instanceof ConfigurationError
    if (!isConfiguration && !(failure instanceof ServerFailure)) throw failure
    return failedAt(rehearsing, `The old module is not to be had: ${messageOf(failure)}`, isConfiguration)
  }
  const { module } = found.old
  return journal.step('Publish the old module', async (step) => {
    const creation = { database: request.database, module, identity: tools.identity }
    const outcome = await publishFirst(tools.server, creation, tools.clock, tools.cancelled)
    if (outcome.kind === 'created') {
      step.detail(`a database "${request.database}" that will be thrown away`)
      return undefined
    }
    const reason = 'reason' in outcome ? outcome.reason : `there is a database "${request.database}" already`
    step.fail(reason)
    return failedAt(rehearsing, `The old module could not be published to a new database: ${reason}`)
  })
}

const titles = { live: 'Take the live module', base: 'Take the module of the base branch' } as const

async function take({ tools, journal }: Rehearsing, old: Existing): Promise<OldRelease> {
  if (old.kind === 'base') {
    return { module: old.module, schema: await tools.describe(old.module), isReadAsOwner: undefined }
  }
  const { server, database, identity } = old
  const found = await server.resolve(database)
  if (found.kind !== 'exists') {
    throw new ConfigurationError(
      `There is no database "${database}" on ${server.url}. Correct the inputs \`live-server\` and \`live-database\`.`
    )
  }
  const module = await server.liveModule(database)
  const schema = await describeLive(module, old, tools.describe, journal.warn)
  return { module, schema, isReadAsOwner: found.owner === identity }
}

/** A module that is live is one, whatever keeps it from being described offline. */
async function describeLive(
  module: Module,
  { server, database }: LiveDatabase,
  describe: (module: Module) => Promise<Schema>,
  warn: (text: string) => void
): Promise<Schema> {
  try {
    return await describe(module)
  } catch (error) {
    warn(`The live module could not be described offline (${messageOf(error)}): the server's word is taken.`)
    return server.schema(database)
  }
}
