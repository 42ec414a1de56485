import { setMaxListeners } from 'node:events'
import type { Clock } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import type { ClientConnection } from '../../spacetimedb/client-connection.ts'
import { Latencies } from './latencies.ts'
import { Reasons } from './reasons.ts'

/** Connects one client; rejects when that fails. `timeout` in milliseconds. */
export type ConnectOne = (options: { timeout: number; signal: AbortSignal }) => Promise<ClientConnection>

/** How many handshakes run at once: a server has a short line for connections that it has not accepted yet. */
const handshakesAtOnce = 50

/** How long all of them may take to leave, in milliseconds. */
const timeToLeave = 3000

/** Clients that connect, stay, and leave. */
export class Crowd {
  /** How long those that connected took to. */
  readonly handshakes = new Latencies()
  /** Why clients did not connect. */
  readonly refusals = new Reasons()
  /** Why clients that had connected did not stay. */
  readonly losses = new Reasons()
  readonly #connect: ConnectOne
  readonly #end = new AbortController()
  readonly #connections: ClientConnection[] = []
  #isOutOfFiles = false
  #isLeaving = false

  constructor(connect: ConnectOne) {
    this.#connect = connect
    // Each connection listens.
    setMaxListeners(0, this.#end.signal)
  }

  get connected(): number {
    return this.#connections.length
  }

  /** Whether this process may open no more connections. */
  get isOutOfFiles(): boolean {
    return this.#isOutOfFiles
  }

  /** Has so many connect; ends when all have or have failed to. No more are tried once nothing but failures came. */
  async gather(count: number, timeout: number): Promise<void> {
    const deadline = performance.now() + timeout
    let begun = 0
    const oneAfterAnother = async () => {
      while (begun < count && !this.#isHopeless && performance.now() < deadline) {
        begun += 1
        await this.#gatherOne(Math.ceil(deadline - performance.now()))
      }
    }
    await Promise.all(Array.from({ length: Math.min(count, handshakesAtOnce) }, oneAfterAnother))
  }

  /** Says goodbye to all; who does not answer in time is left. */
  async leave(clock: Pick<Clock, 'sleep'>): Promise<void> {
    this.#isLeaving = true
    const closed = Promise.all(this.#connections.map((connection) => connection.close().catch(() => {})))
    await Promise.race([closed, clock.sleep(timeToLeave, this.#end.signal)])
    this.abandon()
  }

  /** Ends all connections at once, also those that are still being made. */
  abandon(): void {
    this.#isLeaving = true
    this.#end.abort()
  }

  get #isHopeless(): boolean {
    const onlyFailures = this.connected === 0 && this.refusals.total >= handshakesAtOnce
    return this.#isLeaving || this.#isOutOfFiles || onlyFailures
  }

  async #gatherOne(timeout: number): Promise<void> {
    const began = performance.now()
    try {
      const connection = await this.#connect({ timeout, signal: this.#end.signal })
      this.#connections.push(connection)
      this.handshakes.record(performance.now() - began)
      void connection.closed.then((reason) => {
        if (!this.#isLeaving) this.losses.add(reason)
      })
    } catch (failure) {
      if (saysTooManyFiles(failure)) this.#isOutOfFiles = true
      if (!this.#isLeaving) this.refusals.add(messageOf(failure))
    }
  }
}

/** By the codes of the machine (EMFILE) and of all its processes (ENFILE): https://nodejs.org/api/errors.html#common-system-errors */
function saysTooManyFiles(failure: unknown): boolean {
  for (let error = failure; error instanceof Object; error = (error as { cause?: unknown }).cause) {
    if (['EMFILE', 'ENFILE'].includes(String((error as { code?: unknown }).code))) return true
  }
  return false
}
