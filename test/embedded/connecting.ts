import type { LifecycleReducer } from '../../src/module/schema.ts'
import { lifecycleReducer } from './callable.ts'
import { type Database, fatalError, type Requester } from './database.ts'

/** Tells the module that somebody connects. Answers why it refuses, if it does. */
export async function connect(
  database: Database,
  requester: Requester,
  connection: Uint8Array
): Promise<string | undefined> {
  const { refusal, micros } = await runLifecycle(database, 'client_connected', requester, connection)
  const isAccepted = refusal === undefined
  database.record.statistics.countTransaction('Reducer', 'call_identity_connected', isAccepted, micros)
  return refusal
}

/** Tells the module that somebody is gone. */
export async function disconnect(database: Database, requester: Requester, connection: Uint8Array): Promise<void> {
  const { micros } = await runLifecycle(database, 'client_disconnected', requester, connection)
  database.record.statistics.countTransaction('Reducer', '__identity_disconnected__', true, micros)
}

/** Runs the module's reducer for the event, if it has one. */
async function runLifecycle(
  database: Database,
  event: LifecycleReducer['event'],
  requester: Requester,
  connection: Uint8Array
): Promise<{ readonly refusal?: string; readonly micros: number }> {
  const { schema, module } = database.record.program
  const found = lifecycleReducer(schema, event)
  if (found === undefined || module.kind === 'js') return { micros: 0 }
  const call = { kind: 'reducer', id: found.id, requester, connection, args: new Uint8Array() } as const
  const { outcome, micros } = await database.call(call)
  if (outcome.kind === 'returned') return { micros }
  return { refusal: outcome.kind === 'failed' ? outcome.message : fatalError, micros }
}
