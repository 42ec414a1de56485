import { rounded } from '../../duration.ts'

/** A part of 1, in percent. */
export function share(part: number): string {
  const percent = part * 100
  return percent > 0 && percent < 0.01 ? 'less than 0.01 %' : `${rounded(percent, 2)} %`
}

export function perSecond(calls: number): string {
  return `${rounded(calls, calls < 100 ? 1 : 0)} calls/s`
}
