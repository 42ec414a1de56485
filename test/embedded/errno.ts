/** The error numbers of host functions that a module can go on from (docs/server-behaviour.md, "Host functions"). */
export const errno = {
  hostCallFailure: 1,
  notInTransaction: 2,
  bsatnDecodeError: 3,
  noSuchTable: 4,
  noSuchIndex: 5,
  noSuchIterator: 6,
  noSuchConsoleTimer: 7,
  noSuchBytes: 8,
  wrongIndexAlgorithm: 10,
  bufferTooSmall: 11,
  uniqueAlreadyExists: 12,
  indexNotUnique: 14,
  noSuchRow: 15,
  wouldBlockTransaction: 17,
  transactionNotAnonymous: 18
} as const

/** What a host function answers with an error number. Anything else that it throws ends the module's instance. */
export class HostError extends Error {
  override readonly name = 'HostError'
  readonly number: number

  constructor(number: number) {
    super(`error number ${number}`)
    this.number = number
  }
}
