import type { AlgebraicType } from '../../src/module/algebraic-type.ts'
import type { LifecycleReducer, Schema } from '../../src/module/schema.ts'
import type { Callee } from './json-arguments.ts'

/** A function that may be called, and its position among those of its kind. */
export type Callable = { readonly callee: Callee; readonly id: number }

export type CallableProcedure = Callable & { readonly returnType: AlgebraicType }

/** A reducer that only the server itself calls; the message is the server's. */
export class LifecycleOnly extends Error {
  override readonly name = 'LifecycleOnly'
}

/** The reducer that a caller may call by a name. Throws LifecycleOnly. */
export function findReducer(schema: Schema, name: string, isOwner: boolean): Callable | undefined {
  const special = schema.lifecycle.find(({ reducer }) => reducer === name)
  if (special !== undefined)
    throw new LifecycleOnly(`can't directly call special ${lifecycleNames[special.event]} lifecycle reducer`)
  const id = schema.reducers.findIndex((reducer) => reducer.name === name && isCallable(reducer, isOwner))
  const found = schema.reducers[id]
  return found && { callee: { kind: 'reducer', name, parameters: found.parameters }, id }
}

/** The procedure that a caller may call by a name. */
export function findProcedure(schema: Schema, name: string, isOwner: boolean): CallableProcedure | undefined {
  const id = schema.procedures.findIndex((procedure) => procedure.name === name && isCallable(procedure, isOwner))
  const found = schema.procedures[id]
  if (found === undefined) return undefined
  return { callee: { kind: 'procedure', name, parameters: found.parameters }, id, returnType: found.returnType }
}

/** The reducer that a module has for an event. */
export function lifecycleReducer(schema: Schema, event: LifecycleReducer['event']): Callable | undefined {
  const name = schema.lifecycle.find((entry) => entry.event === event)?.reducer
  const id = schema.reducers.findIndex((reducer) => reducer.name === name)
  return name === undefined ? undefined : { callee: { kind: 'reducer', name, parameters: [] }, id }
}

function isCallable({ visibility }: { visibility: string }, isOwner: boolean): boolean {
  return isOwner || visibility === 'client'
}

const lifecycleNames = { init: 'Init', client_connected: 'OnConnect', client_disconnected: 'OnDisconnect' }
