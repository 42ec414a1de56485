/**
 * Reads little-endian values from bytes that need not be trusted: every read is checked against the end, nothing
 * is allocated by a length that the bytes merely claim, and nesting and empty elements are limited.
 */
export class ByteReader {
  /** What was met and is not known; nothing after the first such part could be read. */
  readonly unknownParts: string[] = []
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #offset = 0
  #depth = 0
  #emptyElements = 0
  #abandoned = false

  constructor(bytes: Uint8Array) {
    // Not a Buffer, whose slice() copies nothing.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get offset(): number {
    return this.#offset
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  /** The next bytes, as a view on the input. */
  take(length: number): Uint8Array {
    const from = this.#advance(length)
    return this.#bytes.subarray(from, from + length)
  }

  /** The next byte, without reading it. */
  peek(): number {
    const byte = this.#bytes[this.#offset]
    if (byte === undefined) throw this.error('the bytes end too early')
    return byte
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1))
  }

  i8(): number {
    return this.#view.getInt8(this.#advance(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true)
  }

  i16(): number {
    return this.#view.getInt16(this.#advance(2), true)
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true)
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4), true)
  }

  f32(): number {
    return this.#view.getFloat32(this.#advance(4), true)
  }

  f64(): number {
    return this.#view.getFloat64(this.#advance(8), true)
  }

  /** An unsigned integer of 64 bits or a multiple. */
  unsigned(bits: number): bigint {
    let value = 0n
    for (let shift = 0; shift < bits; shift += 64) {
      value |= this.#view.getBigUint64(this.#advance(8), true) << BigInt(shift)
    }
    return value
  }

  /** A signed integer of 64 bits or a multiple, in two's complement. */
  signed(bits: number): bigint {
    return BigInt.asIntN(bits, this.unsigned(bits))
  }

  /** Reads something that may contain itself; the depth is limited because the stack is. */
  nested<Value>(read: () => Value): Value {
    if (this.#depth === maxDepth) throw this.error(`nested more than ${maxDepth} levels deep`)
    this.#depth += 1
    try {
      return read()
    } finally {
      this.#depth -= 1
    }
  }

  /** As many elements as their length (u32) says. Elements that take no bytes are limited: nothing else ends them. */
  elements<Value>(read: () => Value): Value[] {
    const values: Value[] = []
    if (this.#abandoned) return values
    for (let left = this.u32(); left > 0 && !this.#abandoned; left--) {
      const start = this.#offset
      values.push(read())
      if (this.#offset === start && ++this.#emptyElements > maxEmptyElements) {
        throw this.error(`more than ${maxEmptyElements} elements without content`)
      }
    }
    return values
  }

  /**
   * Notes that an unknown part begins here. BSATN says nothing of its own lengths, so nothing after it can be read:
   * lists end here, and later ones are empty.
   */
  abandon(part: string): void {
    this.unknownParts.push(part)
    this.#offset = this.#bytes.length
    this.#abandoned = true
  }

  /** A failure at the current place. */
  error(problem: string): Error {
    return this.errorAt(this.#offset, problem)
  }

  errorAt(offset: number, problem: string): Error {
    return new Error(`${problem}, at byte ${offset} of ${this.#bytes.length}`)
  }

  #advance(length: number): number {
    const from = this.#offset
    if (length > this.remaining) throw this.error(`the bytes end too early: ${length} more are needed`)
    this.#offset += length
    return from
  }
}

const maxDepth = 200
const maxEmptyElements = 100_000

/** Writes little-endian values; the caller has checked that they fit. */
export class ByteWriter {
  #bytes = new Uint8Array(256)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  /** What was written, as a copy. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  put(bytes: Uint8Array): void {
    const from = this.#reserve(bytes.length)
    this.#bytes.set(bytes, from)
  }

  u8(value: number): void {
    const at = this.#reserve(1)
    this.#view.setUint8(at, value)
  }

  u16(value: number): void {
    const at = this.#reserve(2)
    this.#view.setUint16(at, value, true)
  }

  u32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setUint32(at, value, true)
  }

  f32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setFloat32(at, value, true)
  }

  f64(value: number): void {
    const at = this.#reserve(8)
    this.#view.setFloat64(at, value, true)
  }

  /** An integer of 64 bits or a multiple, signed or not. */
  integer(bits: number, value: bigint): void {
    for (let shift = 0; shift < bits; shift += 64) {
      const at = this.#reserve(8)
      this.#view.setBigUint64(at, BigInt.asUintN(64, value >> BigInt(shift)), true)
    }
  }

  #reserve(length: number): number {
    const from = this.#length
    this.#length += length
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2))
      grown.set(this.#bytes)
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    return from
  }
}
