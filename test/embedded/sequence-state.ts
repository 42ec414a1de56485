import { encode, valueCodec } from '../../src/module/bsatn.ts'
import type { Sequence } from '../../src/module/schema.ts'
import { type IntegerKind, integerRange, integerValue } from './values.ts'

/** A sequence, which fills a column. */
export class SequenceState {
  readonly name: string
  readonly column: number
  readonly #type: IntegerKind
  readonly #least: bigint
  readonly #greatest: bigint
  readonly #increment: bigint
  next: bigint

  /** `column` is the position of the column that it fills, `type` that column's; `stored` are the next values. */
  constructor(sequence: Sequence, column: number, type: IntegerKind, stored: ReadonlyMap<string, bigint>) {
    this.name = sequence.name
    this.column = column
    this.#type = type
    this.#least = sequence.minValue ?? 1n
    this.#greatest = sequence.maxValue ?? integerRange(this.#type).greatest
    this.#increment = sequence.increment
    this.next = stored.get(sequence.name) ?? sequence.start ?? this.#least
  }

  /** The next value in BSATN; past an end it goes on from the other. A rolled back transaction has used its values. */
  nextBytes(): Uint8Array {
    const value = this.next
    const following = value + this.#increment
    if (following > this.#greatest) this.next = this.#least + ((following - this.#greatest - 1n) % this.#size())
    else if (following < this.#least) this.next = this.#greatest - ((this.#least - following - 1n) % this.#size())
    else this.next = following
    return encode(valueCodec({ kind: this.#type }, []), integerValue(value, this.#type))
  }

  #size(): bigint {
    return this.#greatest - this.#least + 1n
  }
}
