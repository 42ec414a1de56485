import type { AlgebraicType } from './algebraic-type.ts'

/**
 * Names as the server makes them from a module's own (docs/server-behaviour.md, "Names"): validation in
 * crates/schema/src/def/validate of https://github.com/clockworklabs/SpacetimeDB, words as the crate convert_case 0.6
 * splits them.
 */

/** What a module wants to have done to its names. Without a word from it that is `snake-case`. */
export type CasePolicy = 'none' | 'snake-case'

/** A table's, column's or function's name: `someURL` becomes `some_url`, `hp2` becomes `hp_2`. */
export function canonicalName(name: string, policy: CasePolicy): string {
  return policy === 'none' ? name : wordsOf(name).map(lower).join('_')
}

/** A named type's name: `point3d` becomes `Point3D`. */
export function canonicalTypeName(name: string, policy: CasePolicy): string {
  return policy === 'none' ? name : wordsOf(name).map(capital).join('')
}

/** A variant's name: `VeryHappy` becomes `veryHappy`. */
export function canonicalVariantName(name: string, policy: CasePolicy): string {
  if (policy === 'none') return name
  return wordsOf(name)
    .map((word, index) => (index === 0 ? lower(word) : capital(word)))
    .join('')
}

/** A type of the typespace with canonical names of elements and variants, except in the types that clients know. */
export function canonicalType(type: AlgebraicType, policy: CasePolicy): AlgebraicType {
  if (policy === 'none' || isSpecial(type)) return type
  const inner = (part: AlgebraicType) => canonicalType(part, policy)
  switch (type.kind) {
    case 'product':
      return {
        kind: 'product',
        elements: type.elements.map((element) => named(element, inner, (name) => canonicalName(name, policy)))
      }
    case 'sum':
      return {
        kind: 'sum',
        variants: type.variants.map((variant) => named(variant, inner, (name) => canonicalVariantName(name, policy)))
      }
    case 'array':
      return { kind: 'array', element: inner(type.element) }
    default:
      return type
  }
}

export function indexName(table: string, columns: readonly string[], algorithm: 'btree' | 'hash' | 'direct'): string {
  return `${table}_${columns.join('_')}_idx_${algorithm}`
}

export function sequenceName(table: string, column: string): string {
  return `${table}_${column}_seq`
}

export function uniqueConstraintName(table: string, columns: readonly string[]): string {
  return `${table}_${columns.join('_')}_key`
}

export function scheduleName(table: string): string {
  return `${table}_sched`
}

type NamedPart = { readonly name?: string; readonly type: AlgebraicType }

function named(
  part: NamedPart,
  inner: (type: AlgebraicType) => AlgebraicType,
  rename: (name: string) => string
): NamedPart {
  const type = inner(part.type)
  return part.name === undefined ? { type } : { name: rename(part.name), type }
}

/** Options, results, schedules, identities, times: the types whose names have a meaning. */
function isSpecial(type: AlgebraicType): boolean {
  if (type.kind === 'product') {
    const [only, ...more] = type.elements
    return more.length === 0 && only?.name !== undefined && specialProducts.get(only.name) === only.type.kind
  }
  if (type.kind === 'sum') {
    const [first, second, ...more] = type.variants
    if (first === undefined || second === undefined || more.length > 0) return false
    switch (`${first.name} ${second.name}`) {
      case 'some none':
        return second.type.kind === 'product' && second.type.elements.length === 0
      case 'ok err':
        return true
      case 'Interval Time':
        return (
          isOnly(first.type, '__time_duration_micros__') && isOnly(second.type, '__timestamp_micros_since_unix_epoch__')
        )
      default:
        return false
    }
  }
  return false
}

const specialProducts: ReadonlyMap<string, AlgebraicType['kind']> = new Map([
  ['__identity__', 'u256'],
  ['__connection_id__', 'u128'],
  ['__timestamp_micros_since_unix_epoch__', 'i64'],
  ['__time_duration_micros__', 'i64'],
  ['__uuid__', 'u128']
])

function isOnly(type: AlgebraicType, name: string): boolean {
  return type.kind === 'product' && type.elements[0]?.name === name && isSpecial(type)
}

/**
 * The words of a name. They end at `_`, `-` and spaces, between a lower-case letter and a capital, between letters and
 * digits, and before the last of several capitals that a lower-case letter follows.
 */
function wordsOf(name: string): string[] {
  const letters = graphemes(name)
  const words: string[] = []
  let word = ''
  letters.forEach((letter, index) => {
    if (isDelimiter(letter) || startsWord(letters, index)) {
      words.push(word)
      word = isDelimiter(letter) ? '' : letter
    } else {
      word += letter
    }
  })
  return [...words, word].filter((each) => each !== '')
}

function startsWord(letters: readonly string[], index: number): boolean {
  const before = kindOf(letters[index - 1])
  const here = kindOf(letters[index])
  if (before === 'other' || here === 'other') return false
  if (before === 'upper' && here === 'upper') return kindOf(letters[index + 1]) === 'lower'
  return before !== here && !(before === 'upper' && here === 'lower')
}

function kindOf(letter: string | undefined): 'upper' | 'lower' | 'digit' | 'other' {
  if (letter === undefined) return 'other'
  if (/^[0-9]+$/.test(letter)) return 'digit'
  const [upperCase, lowerCase] = [letter.toUpperCase(), letter.toLowerCase()]
  if (upperCase === lowerCase) return 'other'
  if (letter === upperCase) return 'upper'
  return letter === lowerCase ? 'lower' : 'other'
}

function isDelimiter(letter: string): boolean {
  return letter === '_' || letter === '-' || letter === ' '
}

/** What a reader takes for one letter. */
function graphemes(text: string): string[] {
  if (/^[\x20-\x7e]*$/.test(text)) return [...text]
  return Array.from(new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text), ({ segment }) => segment)
}

function lower(word: string): string {
  return word.toLowerCase()
}

function capital(word: string): string {
  const [first = '', ...rest] = word
  return first.toUpperCase() + rest.join('').toLowerCase()
}
