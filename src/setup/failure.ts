/** Why nothing could be set up. */
export type SetupFailureKind =
  | 'wrong digest'
  | 'version not found'
  | 'nothing could be downloaded'
  | 'unusable release'
  | 'server not started'
  | 'cancelled'

/** What a setup can't go on from and that is no wrong input. The message is for the user. */
export class SetupFailure extends Error {
  override readonly name = 'SetupFailure'
  readonly kind: SetupFailureKind

  constructor(kind: SetupFailureKind, message: string) {
    super(message)
    this.kind = kind
  }
}

/** Throws when the job was cancelled. */
export function insistOnGoing(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new SetupFailure('cancelled', 'The job was cancelled, so nothing was set up.')
}
