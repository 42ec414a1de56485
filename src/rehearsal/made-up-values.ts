import { isIntegerKind, textLiteral, type WritableKind, wrapped } from './sql-values.ts'

/**
 * The value that takes the place of a masked one, as a statement writes it. It is made of the number of its row alone,
 * from 1: the original is not even read. No two of a table are alike, as long as the type has so many values: booleans
 * and integers of 8 bits repeat.
 */
export function madeUpLiteral(kind: WritableKind, row: number): string {
  if (isIntegerKind(kind)) return `${wrapped(kind, BigInt(row))}`
  switch (kind) {
    case 'bool':
      return row % 2 === 0 ? 'true' : 'false'
    case 'string':
      return textLiteral(`masked-${row}`)
    case 'bytes':
      return `X'${hexOf(row, 16)}'`
    case 'identity':
      return `0x${hexOf(row, 64)}`
    case 'connection':
    case 'uuid':
      return `0x${hexOf(row, 32)}`
    default:
      return `${row}`
  }
}

/** Whether made-up values repeat before a table has as many rows as are copied at most. */
export function hasFewValues(kind: WritableKind): boolean {
  return kind === 'bool' || kind === 'u8' || kind === 'i8'
}

function hexOf(row: number, digits: number): string {
  return row.toString(16).padStart(digits, '0')
}
