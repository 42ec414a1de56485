/** The module's memory. A null pointer or one out of bounds is thrown, which ends the instance. */
export class ModuleMemory {
  readonly #bytes: () => Uint8Array

  /** `bytes` is asked each time: memory that grows moves. */
  constructor(bytes: () => Uint8Array) {
    this.#bytes = bytes
  }

  read(pointer = 0, length = 0): Uint8Array {
    const bytes = this.#bytes()
    const start = pointer >>> 0
    const end = start + (length >>> 0)
    if (start === 0 || end > bytes.length) throw new RangeError('the module passed a pointer out of bounds')
    return bytes.subarray(start, end)
  }

  write(pointer: number, bytes: Uint8Array): void {
    this.read(pointer, bytes.length).set(bytes)
  }

  text(pointer: number, length: number): string {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.read(pointer, length))
  }

  lossyText(pointer: number, length: number): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.read(pointer, length))
  }

  readU32(pointer: number): number {
    return Buffer.from(this.read(pointer, 4)).readUInt32LE()
  }

  writeU32(pointer: number, value: number): void {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(value >>> 0)
    this.write(pointer, bytes)
  }

  writeU64(pointer: number, value: bigint): void {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(BigInt.asUintN(64, value))
    this.write(pointer, bytes)
  }
}
