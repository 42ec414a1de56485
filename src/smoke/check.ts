import type { Place } from '../yaml-document.ts'
import type { WrittenCheck } from './checks-schema.ts'

/** The kinds of checks: the key that tells what a check in a file is. */
export const checkKinds = [
  'ping',
  'served-hash',
  'reducer',
  'procedure',
  'sql',
  'subscription',
  'http-route',
  'log',
  'metrics',
  'connections',
  'load'
] as const

export type CheckKind = (typeof checkKinds)[number]

/** Where a check comes from: a line of a file, the text of an input, or this project's own defaults. */
export type Origin =
  | ({ readonly kind: 'file'; readonly path: string } & Place)
  | ({ readonly kind: 'input'; readonly input: string } & Place)
  | { readonly kind: 'default' }

/** One check. `Check<'sql'>` is one of that kind. */
export type Check<Kind extends CheckKind = CheckKind> = Kind extends CheckKind
  ? {
      readonly kind: Kind
      /** Its author's, or made of what it does; no other check has it. */
      readonly name: string
      readonly origin: Origin
      /** The names of checks that have to pass before. */
      readonly needs: readonly string[]
      /** Whether it changes data, also where its author did not say so. */
      readonly writes: boolean
      /** As it was written, with what was left out filled in; times in milliseconds. */
      readonly wanted: Extract<WrittenCheck, Readonly<Record<Kind, unknown>>>
    }
  : never

/** What is to be checked. */
export type Checks = {
  readonly checks: readonly Check[]
  /** Milliseconds for all of them together. */
  readonly deadline: number
}
