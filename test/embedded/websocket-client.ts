import type { WebSocket } from 'ws'
import { messageOf } from '../../src/errors.ts'
import { decode, valueCodec } from '../../src/module/bsatn.ts'
import { type Callable, findProcedure, findReducer, LifecycleOnly } from './callable.ts'
import { type ClientMessage, readMessage } from './client-message.ts'
import { connect, disconnect } from './connecting.ts'
import { type Call, type Database, fatalError } from './database.ts'
import { BadArguments, encodeArguments } from './json-arguments.ts'
import { stringify, valueJson } from './sats-json.ts'
import * as say from './server-message.ts'
import type { SqlCaller } from './sql-scope.ts'
import { NotSupportedHere, SqlError } from './sql-statement.ts'
import type { Run, Subscriber } from './subscriber.ts'
import { Subscribing, stopwatch } from './subscribing.ts'
import { compileOnce, currentRows } from './subscription-query.ts'
import type { Bearer } from './tokens.ts'
import type { TransactionRows } from './transaction-rows.ts'

type CallRequest = { readonly args: string; readonly request_id: number }

/** A client that is connected by WebSocket and speaks `v1.json.spacetimedb`. */
export class WebSocketClient implements Subscriber {
  readonly connection: Uint8Array
  readonly #socket: WebSocket
  readonly #database: Database
  readonly #bearer: Bearer
  readonly #isLight: boolean
  readonly #subscribing: Subscribing
  #isEnded = false

  /** `isLight`: whether it wants to hear of others' transactions without who caused them. */
  constructor(socket: WebSocket, database: Database, bearer: Bearer, connection: Uint8Array, isLight: boolean) {
    this.#socket = socket
    this.#database = database
    this.#bearer = bearer
    this.connection = connection
    this.#isLight = isLight
    this.#subscribing = new Subscribing(database.record, this.#sqlCaller)
  }

  get identity(): Bearer['identity'] {
    return this.#bearer.identity
  }

  get isSubscribed(): boolean {
    return !this.#subscribing.subscriptions.isEmpty
  }

  /** Connects it, unless the module refuses, and serves it to its end. `isClosing`: whether the server is closed. */
  serve(isClosing: () => boolean): void {
    this.#socket.on('message', (data, isBinary) => {
      void this.#take(isBinary ? undefined : String(data)).catch((error) => this.#close(1011, messageOf(error)))
    })
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => void this.#do(() => this.#end(isClosing())))
    void this.#do(() => this.#begin(), 'call_identity_connected')
  }

  hear(run: Run, rows: TransactionRows): void {
    if (this.#isEnded) return
    const changes = this.#subscribing.subscriptions.changes(rows)
    const isCaller = run.answers === this
    if (changes.length === 0 && !isCaller) return
    const update = say.changesJson(changes)
    const isAnonymous = this.#isLight || this.#database.record.program.raw.version === 10
    this.#send(
      isAnonymous && !isCaller
        ? say.transactionUpdateLight(run.requestId, update)
        : say.transactionUpdate(run, { Committed: update })
    )
  }

  hearFailure(run: Run, message: string): void {
    this.#send(say.transactionUpdate(run, { Failed: message }))
  }

  hearOfProgram(): void {
    try {
      this.#subscribing.subscriptions.adapt(this.#database.record.program.schema, this.#sqlCaller)
    } catch (error) {
      this.#close(1011, messageOf(error))
    }
  }

  end(reason: string): void {
    this.#close(1001, reason)
  }

  async #begin(): Promise<void> {
    if (this.#database.isGone) return this.end('module exited')
    const refusal = await connect(this.#database, this.#bearer, this.connection)
    if (refusal !== undefined) return this.#socket.terminate()
    this.#database.subscribers.add(this)
    this.#send(say.identityToken(this.#bearer, this.connection))
  }

  async #end(isClosing: boolean): Promise<void> {
    const wasConnected = this.#database.subscribers.delete(this)
    if (!wasConnected || this.#database.isGone || isClosing) return
    this.#subscribing.countEnd()
    await disconnect(this.#database, this.#bearer, this.connection)
  }

  async #take(text: string | undefined): Promise<void> {
    if (text === undefined) throw new NotSupportedHere('the embedded server takes no binary messages')
    const message = readMessage(text)
    const label = 'CallReducer' in message ? message.CallReducer.reducer : undefined
    await this.#do(async () => {
      if (this.#database.subscribers.has(this) && !this.#isEnded) await this.#answer(message)
    }, label)
  }

  #do(run: () => Promise<void>, label?: string): Promise<void> {
    return this.#database.exclusively(run, label)
  }

  async #answer(message: ClientMessage): Promise<void> {
    if ('CallReducer' in message) return this.#callReducer(message.CallReducer)
    if ('CallProcedure' in message) return this.#callProcedure(message.CallProcedure)
    this.#send(this.#replyTo(message))
  }

  #replyTo(message: Exclude<ClientMessage, { CallReducer: unknown } | { CallProcedure: unknown }>): string {
    if ('Subscribe' in message) return this.#subscribing.subscribe(message.Subscribe)
    if ('SubscribeSingle' in message) return this.#subscribing.subscribeSingle(message.SubscribeSingle)
    if ('SubscribeMulti' in message) return this.#subscribing.subscribeMulti(message.SubscribeMulti)
    if ('Unsubscribe' in message) return this.#subscribing.unsubscribe(message.Unsubscribe)
    if ('UnsubscribeMulti' in message) return this.#subscribing.unsubscribeMulti(message.UnsubscribeMulti)
    return this.#query(message.OneOffQuery)
  }

  async #callReducer(request: CallRequest & { readonly reducer: string; readonly flags: 0 | 1 }): Promise<void> {
    const { reducer: name, flags } = request
    const prepared = this.#prepare(request, 'no such reducer', (isOwner) => findReducer(this.#schema, name, isOwner))
    if ('problem' in prepared) return this.hearFailure(this.#unknownRun(name), prepared.problem)
    const answers = flags === 0 ? this : undefined
    const { outcome, micros } = await this.#database.call({ ...prepared.call, answers })
    const { statistics } = this.#database.record
    statistics.countTransaction('Reducer', name, outcome.kind === 'returned', micros)
  }

  /** A run that did not come about: a server tells neither its arguments nor its request. */
  #unknownRun(name: string): Run {
    const id = this.#schema.reducers.findIndex((reducer) => reducer.name === name)
    return {
      caller: this.identity,
      connection: this.connection,
      timestamp: BigInt(Date.now()) * 1000n,
      micros: 0,
      reducer: { name, id: id < 0 ? say.noReducer : id },
      args: '[]',
      requestId: 0
    }
  }

  async #callProcedure(request: CallRequest & { readonly procedure: string }): Promise<void> {
    const { procedure: name, request_id } = request
    const prepared = this.#prepare(request, 'No such procedure', (isOwner) =>
      findProcedure(this.#schema, name, isOwner)
    )
    const fail = (InternalError: string) => this.#send(say.procedureResult(request_id, { InternalError }, 0n, 0))
    if ('problem' in prepared) return fail(prepared.problem)
    const { outcome, micros, timestamp } = await this.#database.call(prepared.call)
    if (outcome.kind !== 'returned') return fail(outcome.kind === 'failed' ? outcome.message : fatalError)
    const { returnType } = prepared.found
    const value = decode(valueCodec(returnType, this.#schema.typespace), outcome.bytes)
    const Returned = stringify(valueJson(value, returnType, this.#schema.typespace))
    this.#send(say.procedureResult(request_id, { Returned }, timestamp, micros))
  }

  /** The call that a message asks for, or why it can't be made. */
  #prepare<Found extends Callable>(
    { args: argsText, request_id: requestId }: CallRequest,
    missing: string,
    find: (isOwner: boolean) => Found | undefined
  ): { readonly found: Found; readonly call: Call } | { readonly problem: string } {
    if (this.#database.record.program.module.kind === 'js')
      throw new NotSupportedHere('the embedded server does not run JavaScript modules')
    try {
      const found = find(this.#sqlCaller.isOwner)
      if (found === undefined) return { problem: missing }
      const { callee, id } = found
      const args = encodeArguments(argsText, callee, this.#schema.typespace)
      const [requester, connection] = [this.#bearer, this.connection]
      return { found, call: { kind: callee.kind, id, requester, connection, args, argsText, requestId } }
    } catch (error) {
      if (error instanceof BadArguments || error instanceof LifecycleOnly) return { problem: error.message }
      throw error
    }
  }

  #query({ message_id, query_string }: { readonly message_id: string; readonly query_string: string }): string {
    const micros = stopwatch()
    const { record } = this.#database
    try {
      const query = compileOnce(query_string, this.#schema, this.#sqlCaller)
      const table = query.table.declaration.name
      const rows = currentRows(query, record.tables.get(table)?.values() ?? [])
      record.statistics.countTransaction('Sql', '', true, micros())
      return say.oneOffQueryResponse(message_id, { table, rows }, micros())
    } catch (error) {
      if (!(error instanceof SqlError) || error instanceof NotSupportedHere) throw error
      record.statistics.countTransaction('Sql', '', true, micros())
      return say.oneOffQueryResponse(message_id, { error: error.message }, micros())
    }
  }

  get #schema() {
    return this.#database.record.program.schema
  }

  get #sqlCaller(): SqlCaller {
    return { identity: this.identity, isOwner: this.identity === this.#database.record.owner }
  }

  #send(message: string): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(message)
  }

  #close(code: number, reason: string): void {
    this.#isEnded = true
    this.#socket.close(code, closeReason(reason))
  }
}

/** As much of a text as a close frame holds: 123 bytes. */
function closeReason(text: string): string {
  let reason = text
  while (Buffer.byteLength(reason) > 123) reason = reason.slice(0, -1)
  return reason
}
