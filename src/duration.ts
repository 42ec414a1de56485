import * as z from 'zod'

/** A time with its unit, in milliseconds. The longest that a job can last is six hours. */
export function duration({ min = 0, max = 6 * units.h }: { readonly min?: number; readonly max?: number } = {}) {
  return z
    .string()
    .regex(/^\d+(\.\d+)?\s*(ms|s|m|h)$/)
    .transform(milliseconds)
    .refine((value) => value >= min && value <= max)
    .describe(
      `a time with its unit, such as \`500ms\`, \`30s\` or \`2m\`, from \`${inUnits(min)}\` to \`${inUnits(max)}\``
    )
}

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const

function milliseconds(given: string): number {
  const [, count = '', unit = ''] = /^([\d.]+)\s*([a-z]+)$/.exec(given) ?? []
  return Math.round(Number(count) * units[unit as keyof typeof units])
}

/** Milliseconds in the largest unit that they are a multiple of: `90000` is `90s`. */
export function inUnits(value: number): string {
  const unit = (['h', 'm', 's', 'ms'] as const).find((each) => value >= units[each] && value % units[each] === 0)
  return `${value / units[unit ?? 's']}${unit ?? 's'}`
}

/** How long something took, for a table: `740 ms`, `12.5 s`. */
export function elapsedText(milliseconds: number): string {
  return milliseconds < 10_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`
}

/** A time that was measured, to three digits or so: `0.42 ms`, `12.3 ms`, `340 ms`, `1.5 s`. */
export function timeText(milliseconds: number): string {
  if (milliseconds >= 1000) return `${rounded(milliseconds / 1000, milliseconds >= 10_000 ? 1 : 2)} s`
  return `${rounded(milliseconds, milliseconds >= 100 ? 0 : milliseconds >= 10 ? 1 : 2)} ms`
}

/** At most so many decimals, and no zeros at the end. */
export function rounded(value: number, decimals: number): string {
  return String(Number(value.toFixed(decimals)))
}
