import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { answeredWithin } from './answered-within.ts'
import { Backlog } from './backlog.ts'
import { type End, endByClosing, endByError, silenceCounter } from './client-end.ts'
import {
  callMessage,
  type RawRows,
  readServerMessage,
  type ServerMessage,
  subscribeMessage,
  tokenIn
} from './client-messages.ts'
import type { Identity } from './identity.ts'
import type { CallAnswer, ServerFailure } from './server.ts'
import type { Question, Session } from './session.ts'
import { SubscriptionRefused } from './subscription-refused.ts'

/** What one transaction did to one table, and when it was heard of. `reducer` is '' where none is named. */
export type RawChange = { readonly at: number; readonly reducer: string; readonly rows: RawRows }

type Message<Kind extends ServerMessage['kind']> = Extract<ServerMessage, { kind: Kind }>

/** What was sent and not answered yet. */
type Sent = {
  readonly purpose: string
  /** '' of a subscription. */
  readonly reducer: string
  readonly reject: (error: Error) => void
} & (
  | { readonly kind: 'call'; readonly resolve: (answer: CallAnswer) => void }
  | { readonly kind: 'subscription'; readonly resolve: (tables: readonly RawRows[]) => void }
)

/** Changes that nobody takes are kept up to this many characters. */
const largestBacklog = 64 * 1024 * 1024

/** The messages on a client's WebSocket, and which of them answers which. Times are in milliseconds. */
export class ClientLink {
  /** Resolves with the reason when the connection has ended. */
  readonly closed: Promise<string>
  readonly #session: Session
  readonly #question: Question
  readonly #database: string
  readonly #socket: WebSocket
  readonly #sent = new Map<number, Sent>()
  readonly #changes = new Backlog<RawChange>()
  readonly #greeting: Promise<Message<'identity'>>
  readonly #heartbeat: NodeJS.Timeout
  #greet: (message: Message<'identity'>) => void = () => {}
  #refuseToGreet: (failure: Error) => void = () => {}
  #tellClosed: (reason: string) => void = () => {}
  #connectionId: string | undefined
  #lastId = 0
  #backlogSize = 0
  #end: End | undefined

  /** `silence`: after how much time without a byte, answers to pings included, the connection counts as dead. */
  constructor(
    session: Session,
    question: Question,
    database: string,
    { socket, connection }: { readonly socket: WebSocket; readonly connection: Socket },
    silence: number
  ) {
    this.#session = session
    this.#question = question
    this.#database = database
    this.#socket = socket
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve
    })
    this.#greeting = new Promise((resolve, reject) => {
      this.#greet = resolve
      this.#refuseToGreet = reject
    })
    this.#greeting.catch(() => {})
    this.#heartbeat = setInterval(silenceCounter(connection, this.#beat.bind(this, silence)), silence / 3)
    socket.on('message', (data, isBinary) => this.#receive(isBinary ? undefined : String(data)))
    socket.on('error', (error) => this.end(endByError(error)))
    socket.on('close', (code, reason) => this.end(endByClosing(code, String(reason), this.#connectionId !== undefined)))
    socket.resume()
  }

  /** Who the server says that we are: its first message. `left` is what is left of `timeout`. */
  async greeting(timeout: number, left: number): Promise<Identity> {
    const failure = () =>
      this.end({
        kind: 'timed-out',
        problem: `the connection was made, but within ${timeout} ms the server did not say who we are. Does the module's \`client_connected\` take long?`
      })
    return (await answeredWithin(left, this.#greeting, failure)).identity
  }

  async subscribe(queries: readonly string[], timeout: number): Promise<readonly RawRows[]> {
    const purpose = `subscribe to "${this.#database}"`
    const id = ++this.#lastId
    return answeredWithin(
      timeout,
      new Promise((resolve, reject) => {
        this.#send(id, { kind: 'subscription', purpose, reducer: '', resolve, reject }, subscribeMessage(id, queries))
      }),
      () => this.#failure(purpose, { kind: 'timed-out', problem: `no rows came within ${timeout} ms.` })
    )
  }

  /** `args` is a JSON array. */
  async call(reducer: string, args: string, timeout: number): Promise<CallAnswer> {
    const purpose = `call "${reducer}" of "${this.#database}" as a client`
    const id = ++this.#lastId
    return answeredWithin(
      timeout,
      new Promise((resolve, reject) => {
        this.#send(id, { kind: 'call', purpose, reducer, resolve, reject }, callMessage(id, reducer, args))
      }),
      () => this.#failure(purpose, { kind: 'timed-out', problem: `no outcome came within ${timeout} ms.` })
    )
  }

  async *changes(signal?: AbortSignal): AsyncGenerator<RawChange> {
    for await (const change of this.#changes.take(signal)) {
      this.#backlogSize -= sizeOf(change.rows)
      yield change
    }
  }

  /** Closes the connection in good order. */
  async close(): Promise<void> {
    if (this.#end !== undefined) return
    const gone = new Promise((resolve) => this.#socket.once('close', resolve))
    this.#finish({ kind: 'interrupted', problem: 'this side closed the connection.' }, true)
    this.#socket.close(1000)
    await gone
  }

  /** Leaves at once: the caller wants no more. */
  abandon(): void {
    this.#finish({ kind: 'interrupted', problem: 'this side gave the connection up.' }, true)
    this.#socket.terminate()
  }

  /** Ends a connection that can't be gone on with, and gives the failure that this is to its user. */
  end(end: End): ServerFailure {
    this.#finish(end, false)
    this.#socket.terminate()
    return this.#failure(this.#purpose(), end)
  }

  #finish(end: End, byUs: boolean): void {
    if (this.#end !== undefined) return
    this.#end = end
    clearInterval(this.#heartbeat)
    const failure = this.#failure(this.#purpose(), end)
    this.#refuseToGreet(failure)
    for (const sent of this.#sent.values()) sent.reject(this.#failure(sent.purpose, end))
    this.#changes.end(byUs ? undefined : failure)
    this.#tellClosed(this.#session.redact(end.problem))
  }

  #purpose(): string {
    const purpose = this.#connectionId === undefined ? 'connect to' : 'stay connected to'
    return `${purpose} "${this.#database}" as a client`
  }

  #failure(purpose: string, { kind, problem }: End): ServerFailure {
    return this.#session.failed({ ...this.#question, purpose }, kind, problem)
  }

  #beat(silence: number, silentBeats: number): void {
    if (silentBeats >= 3) {
      this.end({ kind: 'timed-out', problem: `nothing came for ${silence} ms, not even an answer to a ping.` })
    } else {
      this.#socket.ping()
    }
  }

  #send(id: number, sent: Sent, message: string): void {
    if (this.#end === undefined) {
      this.#sent.set(id, sent)
      this.#socket.send(message)
    } else {
      sent.reject(this.#failure(sent.purpose, this.#end))
    }
  }

  #receive(text: string | undefined): void {
    if (this.#end !== undefined) return
    const message = text === undefined ? undefined : this.#read(text)
    if (message === undefined) this.#unexpected('a message is binary')
    else if (message.kind === 'unknown') this.#unexpected(message.problem)
    else if (message.kind === 'identity') this.#receiveGreeting(message)
    else if (this.#connectionId === undefined) this.#unexpected('the first message does not say who we are')
    else if (message.kind === 'snapshot') this.#receiveSnapshot(message)
    else if (message.kind === 'refused') this.#receiveRefusal(message)
    else if (message.kind === 'change') this.#keep(message.tables, '', performance.now())
    else this.#receiveUpdate(message, performance.now())
  }

  #read(text: string): ServerMessage {
    const token = tokenIn(text)
    if (token !== undefined) this.#session.keepSecret(token)
    return readServerMessage(text)
  }

  #unexpected(problem: string): void {
    this.end({ kind: 'unexpected-answer', problem: `${problem}. Is this a server of another version?` })
  }

  #receiveGreeting(message: Message<'identity'>): void {
    if (this.#connectionId === undefined) {
      this.#connectionId = message.connectionId
      this.#greet(message)
    } else {
      this.#unexpected('it says twice who we are')
    }
  }

  #receiveSnapshot({ requestId, tables }: Message<'snapshot'>): void {
    const sent = this.#take(requestId)
    if (sent?.kind === 'subscription') sent.resolve(tables)
    else this.#unexpected('rows came that were not asked for')
  }

  #receiveRefusal({ requestId, reason }: Message<'refused'>): void {
    const sent = requestId === undefined ? undefined : this.#take(requestId)
    // Without a request, all subscriptions are gone (docs/server-behaviour.md, "WebSocket").
    if (sent === undefined) {
      this.end({ kind: 'server-error', problem: `the server dropped what was subscribed: ${reason}` })
    } else {
      sent.reject(this.#refused(sent, reason))
    }
  }

  #refused({ purpose }: Sent, reason: string): SubscriptionRefused {
    const { message } = this.#failure(purpose, { kind: 'missing', problem: `the server refuses: ${reason}` })
    return new SubscriptionRefused(message, this.#session.redact(reason))
  }

  #receiveUpdate(message: Message<'update'>, at: number): void {
    if (message.status.kind === 'committed') this.#keep(message.status.tables, message.reducer, at)
    // Requests of other connections have numbers like ours.
    if (message.connectionId !== this.#connectionId) return
    if (message.requestId !== 0) this.#settle(message)
    else if (message.status.kind === 'failed') this.#settleUnread(message.reducer, message.status.reason)
  }

  #keep(tables: readonly RawRows[], reducer: string, at: number): void {
    for (const rows of tables) {
      const size = sizeOf(rows)
      this.#backlogSize += size
      if (size > 0) this.#changes.add({ at, reducer, rows })
    }
    if (this.#backlogSize > largestBacklog) {
      this.end({ kind: 'interrupted', problem: 'more changes came than could be kept, as nobody took them.' })
    }
  }

  #settle({ status, requestId, durationMicros }: Message<'update'>): void {
    const sent = this.#take(requestId)
    if (sent?.kind !== 'call') this.#unexpected('an outcome came that was not asked for')
    else if (status.kind === 'committed') sent.resolve({ kind: 'ok', value: undefined, durationMicros })
    else if (status.kind === 'failed') sent.resolve({ kind: 'failed', reason: this.#session.redact(status.reason) })
    else sent.resolve({ kind: 'rejected', status: 402, reason: 'The database is out of energy.' })
  }

  /** What was rejected before it ran comes back without its number (docs/server-behaviour.md, "WebSocket"). */
  #settleUnread(reducer: string, reason: string): void {
    const id = [...this.#sent].find(([, sent]) => sent.reducer === reducer)?.[0] ?? this.#sent.keys().next().value
    const sent = id === undefined ? undefined : this.#take(id)
    if (sent === undefined) this.#unexpected('a failure came of what was not asked for')
    else if (sent.kind === 'subscription') sent.reject(this.#refused(sent, reason))
    else sent.resolve({ kind: 'rejected', status: unreadStatus(reason), reason: this.#session.redact(reason) })
  }

  /** What timed out is kept too, so that a late answer is not taken for that of something else. */
  #take(id: number): Sent | undefined {
    const sent = this.#sent.get(id)
    this.#sent.delete(id)
    return sent
  }
}

/** The status that the same has over HTTP. */
function unreadStatus(reason: string): number {
  return reason === 'no such reducer' ? 404 : 400
}

function sizeOf({ inserts, deletes }: RawRows): number {
  let size = 0
  for (const rows of [inserts, deletes]) for (const row of rows) size += row.length
  return size
}
