import { decode, type Value, valueCodec } from '../../src/module/bsatn.ts'
import { errno, HostError } from './errno.ts'
import { binary, type Row } from './table.ts'
import type { Index } from './table-index.ts'
import { compareValues } from './values.ts'

/** What an index scan asks for: the first columns equal a prefix, the next lies between two bounds. */
export type Range = {
  /** BSATN of the first `prefixColumns` columns. */
  readonly prefix: Uint8Array
  readonly prefixColumns: number
  /** BSATN of a bound: 0 included, 1 excluded, 2 none; then the value. */
  readonly start: Uint8Array
  readonly end: Uint8Array
}

/** The rows of a range in the order of the index. Throws HostError. */
export function scanRange(index: Index, range: Range): Row[] {
  const column = index.columns[range.prefixColumns]
  if (column === undefined) throw new HostError(errno.bsatnDecodeError)
  const start = readBound(index, column, range.start)
  const end = readBound(index, column, range.end)
  if (!index.hasOrder && !isPoint(start, end)) throw new HostError(errno.wrongIndexAlgorithm)
  const prefix = binary(range.prefix)
  const prefixed = index.columns.slice(0, range.prefixColumns)
  return index
    .all()
    .filter((row) => prefixed.map((position) => row.columns[position]).join('') === prefix)
    .filter((row) => isAfter(row.values[column] as Value, start) && isBefore(row.values[column] as Value, end))
    .sort((a, b) => compareRows(index, a, b))
}

type Bound = { readonly kind: 'included' | 'excluded'; readonly value: Value } | { readonly kind: 'none' }

function readBound(index: Index, column: number, bytes: Uint8Array): Bound {
  const { declaration, typespace } = index.table
  const type = declaration.columns[column]?.type
  const [tag] = bytes
  if (tag === 2) return { kind: 'none' }
  if (type === undefined || (tag !== 0 && tag !== 1)) throw new HostError(errno.bsatnDecodeError)
  try {
    const value = decode(valueCodec(type, typespace), bytes.subarray(1))
    return { kind: tag === 0 ? 'included' : 'excluded', value }
  } catch {
    throw new HostError(errno.bsatnDecodeError)
  }
}

function isPoint(start: Bound, end: Bound): boolean {
  return start.kind === 'included' && end.kind === 'included' && compareValues(start.value, end.value) === 0
}

function isAfter(value: Value, start: Bound): boolean {
  if (start.kind === 'none') return true
  const order = compareValues(value, start.value)
  return order > 0 || (order === 0 && start.kind === 'included')
}

function isBefore(value: Value, end: Bound): boolean {
  if (end.kind === 'none') return true
  const order = compareValues(value, end.value)
  return order < 0 || (order === 0 && end.kind === 'included')
}

function compareRows(index: Index, a: Row, b: Row): number {
  for (const column of index.columns) {
    const order = compareValues(a.values[column] as Value, b.values[column] as Value)
    if (order !== 0) return order
  }
  return 0
}
