/**
 * A part of a parsed JSON document, and where it is. Anything that isn't as expected is an `Error` that names the
 * part and shows how it begins. Parts that nobody asked for are noted in `unknownParts`.
 */
export class JsonReader {
  readonly unknownParts: string[]
  readonly #value: unknown
  readonly #path: string
  readonly #depth: number

  constructor(value: unknown, path = '', unknownParts: string[] = [], depth = 0) {
    this.#value = value
    this.#path = path
    this.unknownParts = unknownParts
    this.#depth = depth
  }

  boolean(): boolean {
    if (typeof this.#value !== 'boolean') throw this.expected('true or false')
    return this.#value
  }

  string(): string {
    if (typeof this.#value !== 'string') throw this.expected('a text')
    return this.#value
  }

  number(): number {
    if (typeof this.#value !== 'number') throw this.expected('a number')
    return this.#value
  }

  /** A number or bigint without a fraction. */
  integer(least: bigint, most: bigint): bigint {
    const value = this.#value
    if (typeof value !== 'bigint' && !Number.isInteger(value)) throw this.expected('an integer')
    const integer = BigInt(value as number | bigint)
    if (integer < least || integer > most) throw this.expected(`an integer from ${least} to ${most}`)
    return integer
  }

  hex(): Uint8Array {
    const text = this.string()
    if (!/^(?:[0-9a-f]{2})*$/i.test(text)) throw this.expected('bytes in hex')
    return new Uint8Array(Buffer.from(text, 'hex'))
  }

  elements(): JsonReader[] {
    if (!Array.isArray(this.#value)) throw this.expected('a list')
    return this.#value.map((element, index) => this.#part(element, `[${index}]`))
  }

  /** The fields of these names, in this order. No fields at all may also be an empty list. */
  fields(names: readonly string[]): JsonReader[] {
    if (names.length === 0 && Array.isArray(this.#value) && this.#value.length === 0) return []
    const record = this.#record()
    for (const name of Object.keys(record)) {
      if (!names.includes(name)) this.unknownParts.push(`${this.#path}.${name}`.replace(/^\./, ''))
    }
    return names.map((name) => {
      if (!Object.hasOwn(record, name)) throw this.expected(`the field ${name}`)
      return this.#part(record[name], `.${name}`)
    })
  }

  /** The only key, and what it holds: `{"some": 1}`. */
  variant(): [name: string, value: JsonReader] {
    const record = this.#record()
    const [name, ...more] = Object.keys(record)
    if (name === undefined || more.length > 0) throw this.expected('an object with one key')
    return [name, this.#part(record[name], `.${name}`)]
  }

  nested<Value>(read: () => Value): Value {
    if (this.#depth > maxDepth) throw this.error(`nested more than ${maxDepth} levels deep`)
    return read()
  }

  error(problem: string): Error {
    return new Error(`${problem}, at ${this.#path.replace(/^\./, '') || 'the top'}: ${beginning(this.#value)}`)
  }

  expected(what: string): Error {
    return this.error(`expected ${what}`)
  }

  #record(): Readonly<Record<string, unknown>> {
    if (typeof this.#value !== 'object' || this.#value === null || Array.isArray(this.#value)) {
      throw this.expected('an object')
    }
    return this.#value as Readonly<Record<string, unknown>>
  }

  #part(value: unknown, step: string): JsonReader {
    return new JsonReader(value, this.#path + step, this.unknownParts, this.#depth + 1)
  }
}

const maxDepth = 1000

function beginning(value: unknown): string {
  const text = JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? part.toString() : part)) ?? 'nothing'
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
