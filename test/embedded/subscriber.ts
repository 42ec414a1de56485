import type { Identity } from '../../src/spacetimedb/identity.ts'
import type { TransactionRows } from './transaction-rows.ts'

/** A run that subscribers hear of. */
export type Run = {
  readonly caller: Identity
  readonly connection: Uint8Array
  /** Microseconds since the epoch. */
  readonly timestamp: bigint
  readonly micros: number
  /** Missing for SQL and for what a procedure commits. */
  readonly reducer?: { readonly name: string; readonly id: number }
  /** The arguments as they were sent, in JSON. */
  readonly args: string
  /** What the caller called the call; 0 when it came by HTTP. */
  readonly requestId: number
  /** Who hears of the run whatever it did: a caller that is connected by WebSocket. */
  readonly answers?: Subscriber | undefined
}

/** Somebody who is connected by WebSocket. */
export type Subscriber = {
  readonly identity: Identity
  readonly connection: Uint8Array
  /** Whether it is subscribed to anything. */
  readonly isSubscribed: boolean
  /** A transaction was committed. */
  hear(run: Run, rows: TransactionRows): void
  /** A call of its own changed nothing. */
  hearFailure(run: Run, message: string): void
  /** The database goes on with another module, which breaks no clients. */
  hearOfProgram(): void
  /** There is nothing left to be connected to. */
  end(reason: string): void
}
