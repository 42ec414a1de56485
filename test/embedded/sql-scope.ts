import { resolve, type Typespace } from '../../src/migration/type-structure.ts'
import { serverTypeText } from '../../src/migration/type-text.ts'
import type { AlgebraicType } from '../../src/module/algebraic-type.ts'
import type { Value } from '../../src/module/bsatn.ts'
import type { Schema, Table as TableDeclaration } from '../../src/module/schema.ts'
import {
  type ColumnName,
  type Condition,
  type Literal,
  type Operand,
  type Operator,
  parseStatement,
  SqlError,
  type Statement
} from './sql-statement.ts'
import { compareValues, integerRange, integerValue, isInteger } from './values.ts'

/** Something that can be selected from. */
export type Relation = {
  readonly name: string
  /** Another name for it. */
  readonly accessor?: string | undefined
  readonly columns: readonly { readonly name: string; readonly type: AlgebraicType }[]
  readonly isPublic: boolean
  readonly isView?: boolean
  rows(): Iterable<readonly Value[]>
}

export type SqlCaller = { readonly identity: string; readonly isOwner: boolean }

/** A relation without its rows. */
export type Named = Omit<Relation, 'rows'>

export function relationOf({ name, accessor, columns, access }: TableDeclaration): Named {
  return { name, accessor, columns, isPublic: access === 'public' }
}

/** The relation that a statement names, if its caller may see it. Throws SqlError. */
export function findRelation<Found extends Named>(
  relations: readonly Found[],
  wanted: string,
  { isOwner }: SqlCaller
): Found {
  const found = relations.find(
    ({ name, accessor, isPublic }) => (name === wanted || accessor === wanted) && (isPublic || isOwner)
  )
  if (found !== undefined) return found
  throw new SqlError(`no such table: \`${wanted}\`. If the table exists, it may be marked private.`)
}

export type Test = (row: readonly Value[]) => boolean

/** The module's rules for which rows of a table others than the owner see: those that one of its rules allows. */
export function rowRules(relation: Named, schema: Schema, caller: SqlCaller): Test {
  const rules = schema.rowLevelSecurity.map(parseStatement).filter(({ table }) => table === relation.name)
  if (rules.length === 0 || caller.isOwner) return () => true
  const tests = rules.map((rule) => {
    const scope = new Scope(relation, schema.typespace, caller, aliasOf(rule))
    return scope.predicate(rule.kind === 'select' ? rule.where : undefined)
  })
  return (row) => tests.some((test) => test(row))
}

/** What a statement calls its table. */
export function aliasOf(statement: Statement): string {
  return statement.kind === 'select' ? statement.alias : statement.table
}

/** What the names and literals of a statement mean. */
export class Scope {
  readonly relation: Named
  readonly #typespace: Typespace
  readonly #caller: SqlCaller
  /** What the statement calls the table. */
  readonly #alias: string

  constructor(relation: Named, typespace: Typespace, caller: SqlCaller, alias: string) {
    this.relation = relation
    this.#alias = alias
    this.#typespace = typespace
    this.#caller = caller
  }

  position({ name, table }: ColumnName): number {
    const position = this.relation.columns.findIndex((column) => column.name === name)
    if (table !== undefined && table !== this.#alias) throw new SqlError(`\`${table}\` is not in scope`)
    if (position >= 0) return position
    throw new SqlError(
      table === undefined ? `\`${name}\` is not in scope` : `\`${table}\` does not have a field \`${name}\``
    )
  }

  column(name: ColumnName): Relation['columns'][number] {
    return this.relation.columns[this.position(name)] as Relation['columns'][number]
  }

  /** The values are the columns' in the table's order, whatever order they are named in: so the server has it. */
  row(statement: Statement & { kind: 'insert' }, literals: readonly Literal[]): readonly Value[] {
    const { name, columns } = this.relation
    const named = statement.columns ?? []
    if (named.length !== columns.length) {
      throw new SqlError(
        `The number of fields (${named.length}) in the INSERT does not match the number of columns (${columns.length}) of the table \`${name}\``
      )
    }
    if (literals.length !== columns.length)
      throw new SqlError(
        `Inserting a row with ${literals.length} values into \`${name}\` which has ${columns.length} fields`
      )
    return literals.map((literal, i) => this.written(literal, (columns[i] as Relation['columns'][number]).type))
  }

  predicate(condition: Condition | undefined): Test {
    if (condition === undefined) return () => true
    if (condition.kind === 'constant') return () => condition.value
    if (condition.kind !== 'compare') {
      const [left, right] = [this.predicate(condition.left), this.predicate(condition.right)]
      return condition.kind === 'and' ? (row) => left(row) && right(row) : (row) => left(row) || right(row)
    }
    const type = this.#typeOf(condition.left) ?? this.#typeOf(condition.right)
    if (type === undefined) throw new SqlError('Cannot resolve type for literal expression')
    const [left, right] = [this.#operand(condition.left, type), this.#operand(condition.right, type)]
    if (!this.#isComparable(type)) {
      const text = serverTypeText(type, this.#typespace)
      throw new SqlError(`Invalid binary operator \`${condition.operator}\` for type \`${text}\``)
    }
    return (row) => holds(condition.operator, compareValues(left(row), right(row)))
  }

  /** The value of a literal in a column of that type. */
  value(literal: Literal, type: AlgebraicType): Value {
    const value = this.#parse(literal, type)
    if (value !== undefined) return value
    throw this.#notParsed(literal.text, type)
  }

  /** The value that a literal of an INSERT or UPDATE writes, which is less than a condition compares with. */
  written(literal: Literal, type: AlgebraicType): Value {
    const { kind, text } = literal
    const resolved = resolve(type, this.#typespace)
    if ((kind === 'string' || kind === 'bool') && resolved.kind !== kind) {
      const inferred = serverTypeText(type, this.#typespace)
      throw new SqlError(
        `Unexpected type: (expected) ${kind === 'string' ? 'String' : 'Bool'} != ${inferred} (inferred)`
      )
    }
    const isNumber = kind === 'number' || kind === 'hex'
    if (isNumber && !this.#isWritable(resolved, text, kind === 'hex')) throw this.#notParsed(text, type)
    return this.value(literal, type)
  }

  /** Times and durations have no literal; identities and the like have all their digits; integers are decimal. */
  #isWritable(resolved: AlgebraicType, text: string, isHex: boolean): boolean {
    if (resolved.kind !== 'product') return !(isHex && isInteger(resolved.kind))
    const digits = digitsOf[resolved.elements[0]?.name ?? '']
    return digits !== undefined && text.length === digits
  }

  #notParsed(text: string, type: AlgebraicType): SqlError {
    const expected = serverTypeText(type, this.#typespace)
    return new SqlError(`The literal expression \`${text}\` cannot be parsed as type \`${expected}\``)
  }

  #parse({ kind, text }: Literal, type: AlgebraicType): Value | undefined {
    const resolved = resolve(type, this.#typespace)
    if (kind === 'sender') return this.#parse({ kind: 'hex', text: this.#caller.identity }, type)
    if (resolved.kind === 'product') {
      const [element] = resolved.elements
      if (element === undefined || !this.#isSpecial(type)) return undefined
      const isTime = kind === 'string' && element.name === '__timestamp_micros_since_unix_epoch__'
      const literal: Literal = isTime ? { kind: 'number', text: `${Date.parse(text)}000` } : { kind, text }
      const value = this.#parse(literal, element.type)
      return value === undefined ? undefined : [value]
    }
    if (kind === 'string') return resolved.kind === 'string' ? text : undefined
    if (kind === 'bool') return resolved.kind === 'bool' ? text === 'true' : undefined
    if (kind === 'hex' && resolved.kind === 'array') return new Uint8Array(Buffer.from(text, 'hex'))
    if (resolved.kind === 'f32' || resolved.kind === 'f64') return kind === 'number' ? Number(text) : undefined
    if (!isInteger(resolved.kind) || !(kind === 'hex' || Number.isInteger(Number(text)))) return undefined
    const integer = kind === 'hex' ? BigInt(`0x${text}`) : /^[+-]?\d+$/.test(text) ? BigInt(text) : BigInt(Number(text))
    const { least, greatest } = integerRange(resolved.kind)
    return integer >= least && integer <= greatest ? integerValue(integer, resolved.kind) : undefined
  }

  /** Whether a product is an identity, a connection or a time: a literal can stand for it. */
  #isSpecial(type: AlgebraicType): boolean {
    const resolved = resolve(type, this.#typespace)
    return resolved.kind === 'product' && resolved.elements.length === 1 && /^__/.test(resolved.elements[0]?.name ?? '')
  }

  #isComparable(type: AlgebraicType): boolean {
    const resolved = resolve(type, this.#typespace)
    if (resolved.kind === 'array') return resolve(resolved.element, this.#typespace).kind === 'u8'
    return resolved.kind !== 'sum' && (resolved.kind !== 'product' || this.#isSpecial(type))
  }

  #typeOf(operand: Operand): AlgebraicType | undefined {
    return operand.kind === 'column' ? this.column(operand.column).type : undefined
  }

  #operand(operand: Operand, type: AlgebraicType): (row: readonly Value[]) => Value {
    if (operand.kind === 'column') {
      const position = this.position(operand.column)
      return (row) => row[position] as Value
    }
    const value = this.value(operand, type)
    return () => value
  }
}

/** Of hex, in literals that are written. */
const digitsOf: Readonly<Record<string, number>> = { __identity__: 64, __connection_id__: 32, __uuid__: 32 }

function holds(operator: Operator, order: number): boolean {
  switch (operator) {
    case '=':
      return order === 0
    case '!=':
      return order !== 0
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
  }
}
