import { ConfigurationError } from '../errors.ts'

/** A line of the input `tags`, as docker/metadata-action has them. */
export type TagRule = {
  readonly line: string
  readonly type: TagType
  readonly attributes: Readonly<Record<string, string>>
}

export type TagType = keyof typeof ownAttributes

/** What each type takes besides `enable`, `priority`, `prefix` and `suffix`. */
const ownAttributes = {
  schedule: ['pattern'],
  semver: ['pattern', 'value'],
  ref: ['event'],
  raw: ['value'],
  sha: ['format']
} as const

const commonAttributes = ['enable', 'priority', 'prefix', 'suffix']

const requiredAttributes: Readonly<Partial<Record<TagType, string>>> = { semver: 'pattern', ref: 'event', raw: 'value' }

const allowedWords: Readonly<Record<string, readonly string[]>> = {
  event: ['branch', 'tag', 'pr'],
  format: ['short', 'long']
}

/**
 * The rules in the lines of the input `tags`
 * (https://github.com/docker/metadata-action#tags-input); empty lines and those that begin with `#` are left out. A line
 * without `type=` is a tag as it stands. Throws a `ConfigurationError` for what is not known, with what is.
 */
export function parseTagRules(text: string): TagRule[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  return lines.filter((line) => line !== '' && !line.startsWith('#')).map(parseTagRule)
}

function parseTagRule(line: string): TagRule {
  if (!line.includes('=')) return { line, type: 'raw', attributes: { value: line } }
  const { type = 'raw', ...attributes } = attributesIn(line)
  if (!isTagType(type)) {
    throw wrong(line, `has the type \`${type}\`. Allowed are ${list(Object.keys(ownAttributes))}.`)
  }
  const known = [...ownAttributes[type], ...commonAttributes]
  const unknown = Object.keys(attributes).find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw wrong(line, `has \`${unknown}=\`. With \`type=${type}\` these are allowed: ${list(known)}.`)
  }
  const missing = requiredAttributes[type]
  if (missing !== undefined && !attributes[missing]) throw wrong(line, `needs \`${missing}=…\`, which is missing.`)
  for (const [name, words] of Object.entries(allowedWords)) {
    const given = attributes[name]
    if (given !== undefined && !words.includes(given)) {
      throw wrong(line, `has \`${name}=${given}\`. Allowed are ${list(words)}.`)
    }
  }
  if (!/^\d{1,9}$/.test(attributes.priority ?? '0')) throw wrong(line, 'needs a whole number as its `priority`.')
  return { line, type, attributes }
}

function attributesIn(line: string): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (const part of line.split(',').map((piece) => piece.trim())) {
    const equals = part.indexOf('=')
    if (equals < 1) throw wrong(line, `has \`${part}\`, which is no \`name=value\`.`)
    const name = part.slice(0, equals).trim().toLowerCase()
    if (Object.hasOwn(attributes, name)) throw wrong(line, `has \`${name}=\` twice.`)
    attributes[name] = part.slice(equals + 1).trim()
  }
  return attributes
}

function isTagType(type: string): type is TagType {
  return Object.hasOwn(ownAttributes, type)
}

/** What is wrong with a line of the input `tags`. */
export function wrong(line: string, problem: string): ConfigurationError {
  return new ConfigurationError(`Input \`tags\`: the line \`${line}\` ${problem}`)
}

function list(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(', ')
}
