/** The handles that a call of the module uses: byte sources it reads, sinks it writes, iterators over rows. */
export class Handles {
  readonly sources = new Map<number, Uint8Array>()
  readonly sinks = new Map<number, Uint8Array[]>()
  readonly iterators = new Map<number, Uint8Array[]>()
  readonly timers = new Map<number, { name: string; startedAt: number }>()
  /** Whether a procedure opened the transaction that is under way. */
  ownsTransaction = false
  #last = 0

  /** The handle of some bytes; 0 stands for none. */
  source(bytes: Uint8Array): number {
    return bytes.length === 0 ? 0 : this.add(this.sources, bytes)
  }

  sink(): number {
    return this.add(this.sinks, [])
  }

  written(sink: number): Uint8Array {
    return new Uint8Array(Buffer.concat(this.sinks.get(sink) ?? []))
  }

  add<T>(handles: Map<number, T>, value: T): number {
    this.#last += 1
    handles.set(this.#last, value)
    return this.#last
  }
}
