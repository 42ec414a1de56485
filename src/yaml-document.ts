import {
  type Alias,
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type ParsedNode,
  Parser,
  type Scalar,
  visit,
  type YAMLMap
} from 'yaml'

/** A place in a file. Both count from 1; columns are UTF-16 units, as editors count them. */
export type Place = { readonly line: number; readonly column: number }

/** Something wrong with a file: a sentence, and where. */
export type Problem = Place & { readonly message: string }

/** The way from the whole of a file to a value in it: keys, and positions from 0. */
export type Path = readonly PropertyKey[]

/** Where YAML comes from: a file, or the text of an input. */
export type YamlSource = 'file' | 'input'

/** What a YAML file says, and where. */
export type YamlDocument = {
  /** What messages call the whole of it. */
  readonly what: YamlSource
  /** JSON's kinds of values; an integer that a double can't hold is a bigint. */
  readonly value: unknown
  /** Where the value begins, or the innermost value around it that is there. */
  placeOf(path: Path): Place
  /** Where the key of the value begins; for the item of a list, the item. */
  placeOfKey(path: Path): Place
}

export type YamlReading =
  | { readonly kind: 'read'; readonly document: YamlDocument }
  | { readonly kind: 'unreadable'; readonly problem: Problem }

/** More than anybody writes by hand, and read in a second. */
export const longestYaml = 256 * 1024

/** Deeper than anybody nests; the parser recurses, and a stack that is used up can end the whole process. */
const deepest = 64

/** Values in a file, those behind an alias counted each time: ten aliases of ten aliases of … are many. */
const mostValues = 100_000

/**
 * Reads one YAML document (1.2, core schema) of UTF-8 bytes, with what JSON can say: maps with texts as keys, lists,
 * texts, finite numbers of any size, booleans, null. Reports what is none of that, and what would take too long to
 * read, as a problem; throws nothing.
 */
export function readYaml(bytes: Uint8Array, what: YamlSource = 'file'): YamlReading {
  try {
    return { kind: 'read', document: new Reader(textOf(bytes, what), what) }
  } catch (error) {
    if (error instanceof Unreadable) return { kind: 'unreadable', problem: error.problem }
    throw error
  }
}

class Unreadable extends Error {
  readonly problem: Problem

  constructor(place: Place, message: string) {
    super(message)
    this.problem = { ...place, message }
  }
}

const start: Place = { line: 1, column: 1 }

function textOf(bytes: Uint8Array, what: YamlSource): string {
  if (bytes.length > longestYaml) {
    throw new Unreadable(start, `The ${what} has ${bytes.length} bytes; at most ${longestYaml} are allowed.`)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Unreadable(start, `The ${what} is not UTF-8 text. Save it with that encoding.`)
  }
}

type Node = ParsedNode | null

/** A value of a map, with its key, or an item of a list. */
type Entry = { readonly key: Node; readonly value: Node }

class Reader implements YamlDocument {
  readonly what: YamlSource
  readonly value: unknown
  readonly #lines = new LineCounter()
  readonly #document: Document.Parsed
  readonly #targets: ReadonlyMap<Alias, ParsedNode>
  readonly #pairs = new Map<YAMLMap.Parsed, ReadonlyMap<PropertyKey, Entry>>()
  #count = 0

  constructor(text: string, what: YamlSource) {
    this.what = what
    this.#document = this.#compose(text)
    this.#targets = targetsIn(this.#document)
    if (this.#document.contents === null || this.#isEmpty(this.#document.contents)) {
      throw new Unreadable(start, `The ${what} is empty.`)
    }
    this.value = this.#valueOf(this.#document.contents, 0)
  }

  placeOf(path: Path): Place {
    return this.#placeOf(this.#find(path).value)
  }

  placeOfKey(path: Path): Place {
    const { key, value } = this.#find(path)
    return this.#placeOf(key ?? value)
  }

  #compose(text: string): Document.Parsed {
    const tokens = this.#tokens(text)
    // Repeated keys are found in `#mapOf`: yaml compares each key with each, which takes minutes for a large map.
    const options = { schema: 'core', intAsBigInt: true, uniqueKeys: false, prettyErrors: false } as const
    const [document, second] = new Composer(options).compose(tokens, true, text.length)
    if (document === undefined) throw new Error('yaml made no document')
    const [complaint] = [...document.errors, ...document.warnings]
    if (complaint !== undefined) {
      throw new Unreadable(this.#placeAt(complaint.pos[0]), `This is not YAML that can be read: ${complaint.message}.`)
    }
    if (second !== undefined) {
      throw new Unreadable(this.#placeAt(second.range[0]), 'A second document begins here; one is allowed in a file.')
    }
    return document
  }

  #tokens(text: string): CST.Token[] {
    const parser = new Parser(this.#lines.addNewLine)
    const tokens: CST.Token[] = []
    this.#lines.addNewLine(0)
    for (const lexeme of new Lexer().lex(text)) {
      tokens.push(...parser.next(lexeme))
      if (parser.stack.length > deepest) throw this.#tooDeep(parser.offset)
    }
    tokens.push(...parser.end())
    return tokens
  }

  #tooDeep(offset: number): Unreadable {
    return new Unreadable(this.#placeAt(offset), `Values are nested more than ${deepest} deep here.`)
  }

  #isEmpty(node: ParsedNode): boolean {
    return isScalar(node) && node.value === null && node.source === ''
  }

  #valueOf(node: Node, depth: number): unknown {
    if (node === null) return null
    if (++this.#count > mostValues) {
      const counted = 'those behind an alias counted each time'
      throw this.#unreadable(node, `The ${this.what} has more than ${mostValues} values, ${counted}.`)
    }
    if (depth > deepest) throw this.#tooDeep(node.range[0])
    if (isAlias(node)) return this.#valueOf(this.#targetOf(node), depth + 1)
    if (isMap(node)) return this.#mapOf(node, depth)
    if (isSeq(node)) return node.items.map((item) => this.#valueOf(item as Node, depth + 1))
    return this.#scalarOf(node)
  }

  #targetOf(alias: Alias.Parsed): ParsedNode {
    const target = this.#targets.get(alias)
    if (target === undefined) throw this.#unreadable(alias, `No anchor \`&${alias.source}\` comes before this alias.`)
    return target
  }

  #mapOf(map: YAMLMap.Parsed, depth: number): unknown {
    const pairs = new Map<string, Entry>()
    for (const { key, value } of map.items) {
      const name = isScalar(key) ? key.value : undefined
      if (typeof name !== 'string') throw this.#unreadable(key, 'A key has to be a text: put it in quotes.')
      if (pairs.has(name)) throw this.#unreadable(key, `The key \`${name}\` is there twice.`)
      pairs.set(name, { key, value })
    }
    this.#pairs.set(map, pairs)
    return Object.fromEntries([...pairs].map(([name, { value }]) => [name, this.#valueOf(value, depth + 1)]))
  }

  #scalarOf(node: Scalar.Parsed): unknown {
    const { value } = node
    if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw this.#unreadable(node, `\`${node.source}\` is no number that JSON has: it has to be finite.`)
    }
    return value
  }

  #find(path: Path): Entry {
    let found: Entry = { key: null, value: this.#document.contents }
    for (const step of path) {
      const around = isAlias(found.value) ? this.#targetOf(found.value) : found.value
      const next = isMap(around) ? this.#pairs.get(around)?.get(step) : itemOf(around, step)
      if (next === undefined) break
      found = { key: next.key, value: next.value ?? next.key }
    }
    return found
  }

  #unreadable(node: Node, message: string): Unreadable {
    return new Unreadable(this.#placeOf(node), message)
  }

  #placeOf(node: Node): Place {
    return this.#placeAt(node?.range[0] ?? 0)
  }

  #placeAt(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset)
    return line === 0 ? start : { line, column: col }
  }
}

function itemOf(list: Node, step: PropertyKey): Entry | undefined {
  const item = isSeq(list) && typeof step === 'number' ? list.items[step] : undefined
  return item === undefined ? undefined : { key: null, value: item as Node }
}

/** What each alias stands for: the last node before it that has the anchor. */
function targetsIn(document: Document.Parsed): ReadonlyMap<Alias, ParsedNode> {
  const anchors = new Map<string, ParsedNode>()
  const targets = new Map<Alias, ParsedNode>()
  visit(document, {
    Node: (_key, node) => {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.set(node.anchor, node as ParsedNode)
        return
      }
      const target = anchors.get(node.source)
      if (target !== undefined) targets.set(node, target)
    }
  })
  return targets
}
