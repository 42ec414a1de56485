/** What is wrong with a JSON text, and where. */
export class JsonProblem extends Error {
  override readonly name = 'JsonProblem'
}

export type Scalar = {
  readonly value: string | number | boolean | null
  /** As it was written. */
  readonly text: string
  /** As an error calls it: `` integer `5` ``. */
  readonly described: string
}

/** Reads JSON piece by piece and knows where it is: errors say so, as the server's do. */
export class JsonCursor {
  readonly #text: string
  #at = 0
  /** Where the value being read is: `[0].name`. */
  path = ''

  constructor(text: string) {
    this.#text = text
  }

  /** Whether the next value begins so; if it does, goes past it. */
  opens(bracket: '[' | '{'): boolean {
    this.#skipSpace()
    if (this.#at >= this.#text.length) throw this.problem('EOF while parsing a value')
    if (this.#text[this.#at] !== bracket) return false
    this.#at += 1
    return true
  }

  /** Reads the elements of a list that was opened, at most `count`. */
  elements(count: number, read: (index: number) => void): void {
    const path = this.path
    for (let index = 0; !this.#closes(']', 'a list', index === 0, index === count); index++) {
      this.path = `${path}[${index}]`
      read(index)
      this.path = path
    }
  }

  /** Reads the members of an object that was opened, at most `count`: what a key means, then its value. */
  members<Meaning>(count: number, meaning: (key: string) => Meaning, read: (meaning: Meaning) => void): void {
    const path = this.path
    for (let index = 0; !this.#closes('}', 'an object', index === 0, index === count); index++) {
      const key = this.scalar()
      if (typeof key.value !== 'string') throw this.problem('key must be a string')
      this.path = path === '' ? key.value : `${path}.${key.value}`
      const meant = meaning(key.value)
      this.#skipSpace()
      if (this.#text[this.#at] !== ':') throw this.#problemWithNext('expected `:`')
      this.#at += 1
      read(meant)
      this.path = path
    }
  }

  /** The next string, number, boolean or null. What opens a list or an object is described, and not read. */
  scalar(): Scalar {
    this.#skipSpace()
    const next = this.#text[this.#at]
    if (next === undefined) throw this.problem('EOF while parsing a value')
    if (next === '[' || next === '{') return { value: null, text: next, described: next === '[' ? 'sequence' : 'map' }
    const [text] = scalarPattern.exec(this.#text.slice(this.#at)) ?? []
    this.#at += text?.length ?? 1
    if (text === undefined) throw this.problem(next === '"' ? 'EOF while parsing a string' : 'expected value')
    const value = JSON.parse(text) as string | number | boolean | null
    if (typeof value === 'string') return { value, text, described: `string ${JSON.stringify(value)}` }
    if (value === null) return { value, text, described: 'null' }
    if (typeof value === 'boolean') return { value, text, described: `boolean \`${text}\`` }
    const isWhole = /^-?\d+$/.test(text)
    return { value, text, described: isWhole ? `integer \`${text}\`` : `floating point \`${value}\`` }
  }

  /** Whether only space follows. */
  get isAtEnd(): boolean {
    this.#skipSpace()
    return this.#at >= this.#text.length
  }

  /** What is wrong with a text that goes on. */
  trailing(): JsonProblem {
    return this.#problemWithNext('trailing characters')
  }

  invalidType(found: string, expected: string): JsonProblem {
    return this.problem(`invalid type: ${found}, expected ${expected}`)
  }

  problem(what: string): JsonProblem {
    const lines = this.#text.slice(0, this.#at).split('\n')
    return new JsonProblem(`${what} at line ${lines.length} column ${lines.at(-1)?.length}`)
  }

  #closes(bracket: string, what: string, isFirst: boolean, isFull: boolean): boolean {
    this.#skipSpace()
    const next = this.#text[this.#at]
    if (next === undefined) throw this.problem(`EOF while parsing ${what}`)
    if (next === bracket) {
      this.#at += 1
      return true
    }
    if (isFirst && !isFull) return false
    if (next !== ',') throw this.#problemWithNext(isFull ? 'trailing characters' : `expected \`,\` or \`${bracket}\``)
    if (isFull && bracket === '}') throw this.#problemWithNext('trailing comma')
    this.#at += 1
    this.#skipSpace()
    if (this.#text[this.#at] === bracket) throw this.#problemWithNext('trailing comma')
    if (isFull) throw this.#problemWithNext('trailing characters')
    return false
  }

  /** A problem with the next character, which is counted then. */
  #problemWithNext(what: string): JsonProblem {
    this.#at += 1
    return this.problem(what)
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1
  }
}

const scalarPattern = /^(?:"(?:[^"\\\n]|\\.)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/
