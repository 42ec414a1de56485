import { existsSync } from 'node:fs'
import { checkDocument, readYamlBytes, yamlError } from '../checked-yaml.ts'
import { ConfigurationError } from '../errors.ts'
import { isSelect } from '../spacetimedb/sql-answer.ts'
import { type Path, type Place, type Problem, readYaml, type YamlDocument } from '../yaml-document.ts'
import type { Checks, Origin } from './check.ts'
import { checksOf, type Draft, doesWrite } from './check-of.ts'
import { checkList, checksSchema, defaultDeadline, type WrittenCheck } from './checks-schema.ts'
import { needsMistakes } from './needs.ts'

/** Where checks may be written: in a file, in the text of an input, or in both. */
export type ChecksSources = {
  readonly path: string | undefined
  /** Whether it is an error when there is no such file, as when its author named it. */
  readonly mustExist: boolean
  /** The text of an input, and the input's name. An empty text is none. */
  readonly inline: { readonly input: string; readonly text: string } | undefined
}

/**
 * The checks of a file and of an input together; `undefined` when neither is there. The input may have a file's form,
 * or be just a list of checks. Where both say a deadline, the longer counts. Throws a `ConfigurationError` with file,
 * line and column of all that is wrong.
 */
export async function readChecks({ path, mustExist, inline }: ChecksSources): Promise<Checks | undefined> {
  const sources: Source[] = []
  if (path !== undefined && (mustExist || existsSync(path))) {
    sources.push(parseFile(await readYamlBytes(path, 'file of checks'), path))
  }
  if (inline !== undefined && inline.text.trim() !== '') sources.push(parseInput(inline.text, inline.input))
  return sources.length === 0 ? undefined : together(sources)
}

/** The checks in the contents of a file. Throws a `ConfigurationError` as `readChecks` does. */
export function parseChecks(contents: Uint8Array, path: string): Checks {
  return together([parseFile(contents, path)])
}

/** What one file or input says. */
type Source = {
  /** What stands before line and column in messages. */
  readonly label: string
  readonly deadline: number | undefined
  readonly entries: readonly Entry[]
}

/** A check with the way back to where it was written. */
type Entry = Draft & {
  readonly label: string
  /** As it stands there, without what was filled in. */
  readonly raw: Readonly<Record<string, unknown>>
  /** Of something in the check. */
  placeOf(path: Path): Place
  placeOfKey(key: string): Place
}

function parseFile(contents: Uint8Array, path: string): Source {
  const reading = readYaml(contents, 'file')
  if (reading.kind === 'unreadable') throw yamlError(path, [reading.problem])
  return sourceOf(reading.document, path, (place) => ({ kind: 'file', path, ...place }))
}

function parseInput(text: string, input: string): Source {
  const label = `input \`${input}\``
  const reading = readYaml(new TextEncoder().encode(text), 'input')
  if (reading.kind === 'unreadable') throw yamlError(label, [reading.problem])
  const { document } = reading
  const originAt = (place: Place): Origin => ({ kind: 'input', input, ...place })
  return Array.isArray(document.value)
    ? listSourceOf(document, label, originAt)
    : sourceOf(document, label, originAt, inputSchema)
}

const inputSchema = checksSchema.describe('It has to be a list of checks, or a map with the key `checks`.')

function sourceOf(
  document: YamlDocument,
  label: string,
  originAt: (place: Place) => Origin,
  schema: typeof checksSchema = checksSchema
): Source {
  const checked = checkDocument(document, schema)
  if (checked.kind === 'invalid') throw yamlError(label, checked.problems)
  const { deadline, checks } = checked.value
  return { label, deadline, entries: entriesOf(checks, document, ['checks'], label, originAt) }
}

function listSourceOf(document: YamlDocument, label: string, originAt: (place: Place) => Origin): Source {
  const checked = checkDocument(document, checkList)
  if (checked.kind === 'invalid') throw yamlError(label, checked.problems)
  return { label, deadline: undefined, entries: entriesOf(checked.value, document, [], label, originAt) }
}

function entriesOf(
  checks: readonly WrittenCheck[],
  document: YamlDocument,
  list: Path,
  label: string,
  originAt: (place: Place) => Origin
): Entry[] {
  const values = list.reduce((value, key) => (value as Record<PropertyKey, unknown>)[key], document.value)
  return checks.map((written, index) => {
    const path = [...list, index]
    return {
      written,
      label,
      origin: originAt(document.placeOf(path)),
      raw: (values as Record<string, unknown>[])[index] ?? {},
      placeOf: (inner) => document.placeOf([...path, ...inner]),
      placeOfKey: (key) => document.placeOfKey([...path, key])
    }
  })
}

type PlacedProblem = Problem & { readonly label: string }

function together(sources: readonly Source[]): Checks {
  const entries = sources.flatMap((source) => source.entries)
  const contradictions = entries.flatMap((entry) => [...writingProblems(entry), ...statementProblems(entry)])
  insist(sources, [...contradictions, ...repeatedNames(entries)])
  const checks = checksOf(entries)
  insist(
    sources,
    needsMistakes(checks).flatMap(({ check, need, message }) => {
      const entry = entries[check]
      return entry === undefined ? [] : [problemAt(entry, placeOfNeed(entry, need), message)]
    })
  )
  const deadlines = sources.flatMap(({ deadline }) => deadline ?? [])
  return { checks, deadline: deadlines.length === 0 ? defaultDeadline : Math.max(...deadlines) }
}

function insist(sources: readonly Source[], problems: readonly PlacedProblem[]): void {
  const messages = sources.flatMap(({ label }) => {
    const own = problems.filter((problem) => problem.label === label)
    return own.length === 0 ? [] : [yamlError(label, own).message]
  })
  if (messages.length > 0) throw new ConfigurationError(messages.join('\n'))
}

function problemAt({ label }: Entry, place: Place, message: string): PlacedProblem {
  return { ...place, label, message }
}

function placeOfNeed(entry: Entry, need: number): Place {
  return entry.placeOf(Array.isArray(entry.raw.needs) ? ['needs', need] : ['needs'])
}

/** A check that says that it changes nothing, and does. */
function writingProblems(entry: Entry): PlacedProblem[] {
  if (entry.raw.writes !== false || !doesWrite(entry.written)) return []
  const why = 'sql' in entry.written ? 'a statement that is no `SELECT` changes' : 'the call of a subscription changes'
  const message = `\`writes\` can't be \`false\`: ${why} data. Leave the key out, or write \`true\`.`
  return [problemAt(entry, entry.placeOf(['writes']), message)]
}

const aboutRows = ['count', 'rows', 'some', 'each', 'none', 'value', 'eventually'] as const

/** Expectations of rows that a statement has none of. */
function statementProblems(entry: Entry): PlacedProblem[] {
  const { written } = entry
  if (!('sql' in written) || isSelect(written.sql)) return []
  return aboutRows
    .filter((key) => Object.hasOwn(written, key))
    .map((key) => {
      const message = `\`${key}\` needs a \`SELECT\`: this statement gives no rows. Look at what it did in a check of its own that \`needs\` this one.`
      return problemAt(entry, entry.placeOfKey(key), message)
    })
}

function repeatedNames(entries: readonly Entry[]): PlacedProblem[] {
  const first = new Map<string, Entry>()
  return entries.flatMap((entry) => {
    const { name } = entry.written
    if (name === undefined) return []
    const before = first.get(name)
    if (before === undefined) {
      first.set(name, entry)
      return []
    }
    const { line, column } = before.placeOf(['name'])
    const message = `The name \`${name}\` is taken by the check at ${before.label}:${line}:${column}. Each name may be there once.`
    return [problemAt(entry, entry.placeOf(['name']), message)]
  })
}
