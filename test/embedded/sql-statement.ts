/** A statement of the part of SQL that the embedded server knows. */
export type Statement =
  | {
      readonly kind: 'select'
      readonly projection: Projection
      readonly table: string
      /** What the statement calls the table: its name when it gives no other. */
      readonly alias: string
      readonly where?: Condition
      readonly limit?: number
    }
  | {
      readonly kind: 'insert'
      readonly table: string
      readonly columns?: readonly string[]
      readonly rows: readonly (readonly Literal[])[]
    }
  | {
      readonly kind: 'update'
      readonly table: string
      readonly set: readonly { readonly column: string; readonly value: Literal }[]
      readonly where?: Condition
    }
  | { readonly kind: 'delete'; readonly table: string; readonly where?: Condition }

export type Projection =
  | { readonly kind: 'all' }
  | { readonly kind: 'columns'; readonly columns: readonly { readonly column: ColumnName; readonly as: string }[] }
  | { readonly kind: 'count'; readonly as: string }

/** A column, perhaps with what the statement calls its table. */
export type ColumnName = { readonly name: string; readonly table?: string }

export type Condition =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: 'compare'; readonly operator: Operator; readonly left: Operand; readonly right: Operand }

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>='

export type Operand = { readonly kind: 'column'; readonly column: ColumnName } | Literal

/** `text` is as it was written, without quotes. `sender` is whoever asks. */
export type Literal = { readonly kind: 'number' | 'string' | 'hex' | 'bool' | 'sender'; readonly text: string }

/** What a statement is refused with (400). */
export class SqlError extends Error {
  override readonly name = 'SqlError'
}

/** What a real server does and the embedded one does not. */
export class NotSupportedHere extends SqlError {
  override readonly name = 'NotSupportedHere' as 'SqlError'
}

/** Reads one statement. Throws SqlError. */
export function parseStatement(sql: string): Statement {
  const tokens = new Tokens(sql)
  if (tokens.isAtEnd || tokens.peekIf(';')) throw new SqlError('Empty SQL query')
  const statement = readStatement(tokens)
  if (tokens.takeIf(';') && !tokens.isAtEnd) throw new SqlError('Multiple SQL statements are not supported')
  if (!tokens.isAtEnd) throw unsupported(tokens.peek().text)
  return statement
}

function readStatement(tokens: Tokens): Statement {
  if (tokens.takeIf('SELECT')) return readSelect(tokens)
  if (tokens.takeIf('INSERT')) return readInsert(tokens)
  if (tokens.takeIf('UPDATE')) return readUpdate(tokens)
  if (tokens.takeIf('DELETE')) {
    tokens.take('FROM')
    return { kind: 'delete', table: tokens.name(), ...readWhere(tokens) }
  }
  if (/^(SET|SHOW|CREATE|DROP|ALTER|WITH|EXPLAIN|BEGIN|COMMIT)$/i.test(tokens.peek().text))
    throw unsupported(tokens.peek().text)
  throw new SqlError(`sql parser error: ${tokens.expected('an SQL statement')}`)
}

function readSelect(tokens: Tokens): Statement {
  const starOf = tokens.takeStarOf()
  const projection: Projection = starOf === undefined ? readProjection(tokens) : { kind: 'all' }
  if (!tokens.takeIf('FROM')) throw new SqlError('A FROM clause is required')
  const table = tokens.name()
  const alias = readAlias(tokens) ?? table
  if (tokens.peekIf('JOIN', 'INNER', 'LEFT', 'RIGHT', ','))
    throw new NotSupportedHere('Unsupported: joins (the embedded server knows only simple statements)')
  if (starOf !== undefined && starOf !== alias) throw new SqlError(`\`${starOf}\` is not in scope`)
  const where = readWhere(tokens)
  const limit = tokens.takeIf('LIMIT') ? Number(tokens.next().text) : undefined
  return { kind: 'select', projection, table, alias, ...where, ...(limit !== undefined && { limit }) }
}

function readProjection(tokens: Tokens): Projection {
  if (tokens.takeIf('*')) {
    if (tokens.peekIf(',')) throw new SqlError('Mixed wildcard projections are not supported')
    return { kind: 'all' }
  }
  if (tokens.peekIf('SUM')) throw new SqlError('Unsupported aggregate function: SUM')
  if (tokens.peekIf('DISTINCT')) throw unsupported('DISTINCT')
  if (tokens.takeIf('COUNT')) {
    for (const part of ['(', '*', ')']) tokens.take(part)
    const as = readAlias(tokens)
    if (as === undefined) throw new SqlError('Aggregate expressions must have column aliases')
    return { kind: 'count', as }
  }
  const columns = readList(tokens, () => {
    const column = readColumn(tokens)
    return { column, as: readAlias(tokens) ?? column.name }
  })
  return { kind: 'columns', columns }
}

/** Another name, with or without `AS`. */
function readAlias(tokens: Tokens): string | undefined {
  if (tokens.takeIf('AS')) return tokens.name()
  return tokens.peek().kind === 'word' && !tokens.peekIf(...keywords) ? tokens.name() : undefined
}

const keywords = ['FROM', 'WHERE', 'LIMIT', 'ORDER', 'JOIN', 'INNER', 'LEFT', 'RIGHT', 'GROUP', 'ON', 'UNION']

function readInsert(tokens: Tokens): Statement {
  tokens.take('INTO')
  const table = tokens.name()
  const columns = tokens.peekIf('(') ? { columns: readParenthesised(tokens, () => tokens.name()) } : {}
  tokens.take('VALUES')
  const rows = readList(tokens, () => readParenthesised(tokens, () => readLiteral(tokens)))
  return { kind: 'insert', table, ...columns, rows }
}

function readUpdate(tokens: Tokens): Statement {
  const table = tokens.name()
  tokens.take('SET')
  const set = readList(tokens, () => {
    const column = tokens.name()
    tokens.take('=')
    return { column, value: readLiteral(tokens) }
  })
  return { kind: 'update', table, set, ...readWhere(tokens) }
}

function readWhere(tokens: Tokens): { where?: Condition } {
  return tokens.takeIf('WHERE') ? { where: readOr(tokens) } : {}
}

function readOr(tokens: Tokens): Condition {
  let left = readAnd(tokens)
  while (tokens.takeIf('OR')) left = { kind: 'or', left, right: readAnd(tokens) }
  return left
}

function readAnd(tokens: Tokens): Condition {
  let left = readComparison(tokens)
  while (tokens.takeIf('AND')) left = { kind: 'and', left, right: readComparison(tokens) }
  return left
}

function readComparison(tokens: Tokens): Condition {
  if (tokens.takeIf('(')) {
    const condition = readOr(tokens)
    tokens.take(')')
    return condition
  }
  const left = readOperand(tokens)
  if (left.kind === 'bool' && (tokens.isAtEnd || tokens.peekIf('AND', 'OR', ')', ';')))
    return { kind: 'constant', value: left.text === 'true' }
  const written = tokens.next().text
  const operator = written === '<>' ? '!=' : written
  if (!['=', '!=', '<', '<=', '>', '>='].includes(operator)) throw unsupported(`binary operator: ${written}`)
  return { kind: 'compare', operator: operator as Operator, left, right: readOperand(tokens) }
}

function readOperand(tokens: Tokens): Operand {
  const { kind, text } = tokens.peek()
  if (kind !== 'word' || /^(true|false)$/i.test(text)) return readLiteral(tokens)
  return { kind: 'column', column: readColumn(tokens) }
}

/** A column, with or without its table's name. */
function readColumn(tokens: Tokens): ColumnName {
  if (tokens.isAtEnd) throw new SqlError('sql parser error: Expected an expression:, found: EOF')
  const name = tokens.name()
  return tokens.takeIf('.') ? { table: name, name: tokens.name() } : { name }
}

function readLiteral(tokens: Tokens): Literal {
  if (tokens.isAtEnd) throw new SqlError('sql parser error: Expected an expression:, found: EOF')
  const sign = tokens.takeIf('-') ? '-' : tokens.takeIf('+') ? '' : undefined
  const { kind, text } = tokens.next()
  if (kind === 'number' && /^0x/i.test(text)) return { kind: 'hex', text: text.slice(2) }
  if (kind === 'number') return { kind, text: (sign ?? '') + text }
  if (sign === undefined && kind === 'string') return { kind, text }
  if (sign === undefined && kind === 'bytes') return { kind: 'hex', text }
  if (sign === undefined && /^(true|false)$/i.test(text)) return { kind: 'bool', text: text.toLowerCase() }
  if (sign === undefined && text === ':sender') return { kind: 'sender', text }
  throw unsupported(`literal expression: ${text}`)
}

function readParenthesised<T>(tokens: Tokens, read: () => T): T[] {
  tokens.take('(')
  const items = readList(tokens, read)
  tokens.take(')')
  return items
}

function readList<T>(tokens: Tokens, read: () => T): T[] {
  const items = [read()]
  while (tokens.takeIf(',')) items.push(read())
  return items
}

function unsupported(what: string): SqlError {
  return new SqlError(`Unsupported: ${what} (the embedded server knows only simple statements)`)
}

type Token = {
  readonly kind: 'word' | 'number' | 'string' | 'bytes' | 'sign' | 'end'
  readonly text: string
  readonly at: number
}

const tokenPattern =
  /\s*(?:--[^\n]*\n\s*)*(?:(?<word>[A-Za-z_][A-Za-z0-9_$]*(?!'))|"(?<quoted>(?:[^"]|"")*)"|[xX]'(?<bytes>[0-9A-Fa-f]*)'|(?<number>0[xX][0-9A-Fa-f]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)|'(?<string>(?:[^']|'')*)'|(?<sign>:sender|<>|!=|<=|>=|[^\s]))/y

class Tokens {
  readonly #sql: string
  readonly #tokens: readonly Token[]
  #position = 0

  constructor(sql: string) {
    this.#sql = sql
    this.#tokens = [...sql.matchAll(new RegExp(tokenPattern, 'gy'))].map(({ index, 0: whole, groups = {} }) => {
      const at = index + whole.search(/\S/)
      if (groups.word !== undefined) return { kind: 'word', text: groups.word, at }
      if (groups.quoted !== undefined) return { kind: 'word', text: groups.quoted.replaceAll('""', '"'), at }
      if (groups.bytes !== undefined) return { kind: 'bytes', text: groups.bytes, at }
      if (groups.number !== undefined) return { kind: 'number', text: groups.number, at }
      if (groups.string !== undefined) return { kind: 'string', text: groups.string.replaceAll("''", "'"), at }
      return { kind: 'sign', text: groups.sign ?? '', at }
    })
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#tokens.length
  }

  peek(): Token {
    return this.#tokens[this.#position] ?? { kind: 'end', text: 'EOF', at: this.#sql.length }
  }

  next(): Token {
    const token = this.peek()
    this.#position += 1
    return token
  }

  peekIf(...texts: string[]): boolean {
    const { kind, text } = this.peek()
    return kind !== 'string' && texts.some((wanted) => wanted === text.toUpperCase())
  }

  takeIf(text: string): boolean {
    if (!this.peekIf(text)) return false
    this.#position += 1
    return true
  }

  /** The name in `name.*`, if that comes next. */
  takeStarOf(): string | undefined {
    const [name, dot, star] = this.#tokens.slice(this.#position, this.#position + 3)
    if (name?.kind !== 'word' || dot?.text !== '.' || star?.text !== '*') return undefined
    this.#position += 3
    return name.text
  }

  take(text: string): void {
    if (!this.takeIf(text)) throw new SqlError(`sql parser error: ${this.expected(text)}`)
  }

  name(): string {
    if (this.peek().kind !== 'word') throw new SqlError(`sql parser error: ${this.expected('identifier')}`)
    return this.next().text
  }

  expected(what: string): string {
    const { text, at } = this.peek()
    const lines = this.#sql.slice(0, at).split('\n')
    const place = this.isAtEnd ? '' : ` at Line: ${lines.length}, Column ${(lines.at(-1)?.length ?? 0) + 1}`
    return `Expected ${what}, found: ${text}${place}`
  }
}
