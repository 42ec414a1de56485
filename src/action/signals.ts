/** Whether the job was cancelled. A runner sends SIGINT, SIGTERM 7.5 s later and SIGKILL 2.5 s after that. */
export type Cancellation = {
  readonly requested: boolean
  /** Aborted with the first signal. */
  readonly signal: AbortSignal
  /** The first signal that came. */
  readonly name: CancellationSignal | undefined
}

export type CancellationSignal = 'SIGINT' | 'SIGTERM'

/** Takes the signals of a cancelled job from now on: the process goes on, and is to end by itself in time. */
export function listenForCancellation(source: NodeJS.EventEmitter = process): Cancellation & { stop(): void } {
  const controller = new AbortController()
  let first: CancellationSignal | undefined
  const onSignal = (name: CancellationSignal) => {
    first ??= name
    controller.abort(new Error(`cancelled by ${first}`))
  }
  const signals: readonly CancellationSignal[] = ['SIGINT', 'SIGTERM']
  for (const name of signals) source.on(name, onSignal)
  return {
    get requested() {
      return controller.signal.aborted
    },
    get name() {
      return first
    },
    signal: controller.signal,
    stop() {
      for (const name of signals) source.off(name, onSignal)
    }
  }
}
