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
