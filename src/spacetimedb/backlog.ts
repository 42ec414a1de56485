/** Items that wait until somebody takes them, in the order in which they came. */
export class Backlog<Item> {
  #items: Item[] = []
  /** How many of the items were taken already. */
  #taken = 0
  readonly #waiting = new Set<() => void>()
  #end: { readonly failure: Error | undefined } | undefined

  get isEmpty(): boolean {
    return this.#taken === this.#items.length
  }

  add(item: Item): void {
    this.#items.push(item)
    this.#wake()
  }

  /** What waits can still be taken; then taking ends, by the failure if there is one. */
  end(failure: Error | undefined): void {
    this.#end ??= { failure }
    this.#wake()
  }

  /** Takes each item once, whoever else takes too, until the end or until the signal is aborted. */
  async *take(signal?: AbortSignal): AsyncGenerator<Item> {
    while (!signal?.aborted) {
      if (!this.isEmpty) {
        yield this.#takeOne()
      } else if (this.#end !== undefined) {
        if (this.#end.failure !== undefined) throw this.#end.failure
        return
      } else {
        await this.#more(signal)
      }
    }
  }

  #takeOne(): Item {
    const item = this.#items[this.#taken] as Item
    this.#taken++
    // What was taken is let go now and then: one by one, each would move all the others.
    if (this.#taken > this.#items.length / 2) {
      this.#items = this.#items.slice(this.#taken)
      this.#taken = 0
    }
    return item
  }

  #more(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal?.addEventListener('abort', wake)
    })
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
  }
}
