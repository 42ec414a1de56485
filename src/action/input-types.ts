import * as z from 'zod'

export { duration } from '../duration.ts'

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

/** A whole number of a range. */
export function wholeNumber({ min, max }: { readonly min: number; readonly max: number }) {
  return z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .refine((value) => value >= min && value <= max)
    .describe(`a whole number from \`${min}\` to \`${max}\``)
}

/** A name that GitHub takes for an artifact. */
export function artifactNameText() {
  return matching(/^[^"'`:<>|*?\\/\p{Cc}]+$/u, 'a name without quotes, slashes, `:`, `<`, `>`, `|`, `*` and `?`')
}
