import type { Clock } from './clock.ts'

/** What can't be taken back, such as a request, but need not be waited for once the signal is aborted. */
export async function orCancelled<T>(work: Promise<T>, cancelled: AbortSignal): Promise<T | 'cancelled'> {
  const stop = new AbortController()
  const aborted = new Promise<'cancelled'>((resolve) => {
    if (cancelled.aborted) resolve('cancelled')
    cancelled.addEventListener('abort', () => resolve('cancelled'), { once: true, signal: stop.signal })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    stop.abort()
    work.catch(() => {})
  }
}

/**
 * Work that is given so many milliseconds: its signal is aborted when they are over, or with `signal`, and its end is
 * not waited for then.
 */
export async function withinTime<T>(
  { clock, milliseconds, signal }: { clock: Clock; milliseconds: number; signal?: AbortSignal | undefined },
  work: (signal: AbortSignal) => Promise<T>
): Promise<T | 'cancelled'> {
  const over = new AbortController()
  const done = new AbortController()
  const end = AbortSignal.any([over.signal, ...(signal === undefined ? [] : [signal])])
  void clock.sleep(milliseconds, AbortSignal.any([done.signal, end])).then(() => over.abort())
  try {
    const result = await orCancelled(work(end), end)
    return end.aborted ? 'cancelled' : result
  } finally {
    done.abort()
  }
}
