/** Milliseconds as text, to three digits or so: `0.42 ms`, `12.3 ms`, `340 ms`, `12.5 s`. */
export function time(milliseconds: number): string {
  if (milliseconds >= 10_000) return `${plain(milliseconds / 1000, 1)} s`
  if (milliseconds >= 100) return `${plain(milliseconds, 0)} ms`
  return `${plain(milliseconds, milliseconds >= 10 ? 1 : 2)} ms`
}

/** A part of 1, in percent. */
export function share(part: number): string {
  const percent = part * 100
  return percent > 0 && percent < 0.01 ? 'less than 0.01 %' : `${plain(percent, 2)} %`
}

export function perSecond(calls: number): string {
  return `${plain(calls, calls < 100 ? 1 : 0)} calls/s`
}

/** At most so many decimals, and no zeros at the end. */
function plain(value: number, decimals: number): string {
  return String(Number(value.toFixed(decimals)))
}
