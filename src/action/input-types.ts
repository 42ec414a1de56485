import * as z from 'zod'

/** Any text that is not empty. `allowed` says what is meant by it. */
export function text(allowed = 'any text') {
  return z.string().min(1).describe(allowed)
}

/** A text of a given form. */
export function matching(form: RegExp, allowed: string) {
  return z.string().regex(form).describe(allowed)
}

/** One of a few words. */
export function choice<const Words extends readonly [string, ...string[]]>(...words: Words) {
  return z.enum(words).describe(words.map((word) => `\`${word}\``).join(' or '))
}

/** A boolean in the forms of YAML 1.2's core schema, which is what GitHub's own actions take. */
export function flag() {
  return z
    .enum(['true', 'True', 'TRUE', 'false', 'False', 'FALSE'])
    .transform((word) => word.toLowerCase() === 'true')
    .describe('`true` or `false`')
}

/** A time with its unit, in milliseconds. The longest that a job can last is six hours. */
export function duration({ min = 0, max = 6 * units.h }: { readonly min?: number; readonly max?: number } = {}) {
  return z
    .string()
    .regex(/^\d+(\.\d+)?\s*(ms|s|m|h)$/)
    .transform(milliseconds)
    .refine((value) => value >= min && value <= max)
    .describe(`a time with its unit, such as \`500ms\`, \`30s\` or \`2m\`, from ${inWords(min)} to ${inWords(max)}`)
}

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const

function milliseconds(given: string): number {
  const [, count = '', unit = ''] = /^([\d.]+)\s*([a-z]+)$/.exec(given) ?? []
  return Math.round(Number(count) * units[unit as keyof typeof units])
}

function inWords(value: number): string {
  const unit = (['h', 'm', 's', 'ms'] as const).find((each) => value >= units[each] && value % units[each] === 0)
  return `\`${value / units[unit ?? 's']}${unit ?? 's'}\``
}

/** A whole number of a range. */
export function wholeNumber({ min, max }: { readonly min: number; readonly max: number }) {
  return z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .refine((value) => value >= min && value <= max)
    .describe(`a whole number from \`${min}\` to \`${max}\``)
}
