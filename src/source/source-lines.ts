import { relative, sep } from 'node:path'
import type { Change } from '../migration/change.ts'
import { canonicalName, canonicalTypeName, sequenceName } from '../module/canonical-names.ts'
import type { ModuleLanguage } from '../module-language.ts'
import { isWithin } from '../paths.ts'
import { cppDeclarations, cppTokens } from './cpp.ts'
import { csharpDeclarations, csharpTokens } from './csharp.ts'
import type { Declaration, DeclarationKind } from './declaration.ts'
import { rustDeclarations, rustTokens } from './rust.ts'
import { sourceFiles } from './source-files.ts'
import { type SourceText, sourceText } from './source-text.ts'
import { typescriptDeclarations, typescriptTokens } from './typescript.ts'

/** Where something is declared. */
export type SourcePlace = {
  /** From the repository's root, with slashes. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** Where it says its own name, when that is another line than that of its first attribute. */
  readonly endLine?: number
}

export type SourceFolder = {
  /** Of the module's project; absolute. */
  readonly folder: string
  /** The root of the repository, in which the folder lies; absolute. */
  readonly repository: string
  readonly language: ModuleLanguage
}

/**
 * Where the source of a module declares what changes are about, by the changes' ids: a table, of changes of a column
 * that column, a view, reducer, procedure, lifecycle function, route or type. It is text that is searched, by the forms
 * that the bindings document: what is not found, or found at two places, has none, and neither has what was removed.
 * Throws nothing.
 */
export async function sourceLines(
  changes: readonly Change[],
  { folder, repository, language }: SourceFolder
): Promise<ReadonlyMap<string, SourcePlace>> {
  if (!isWithin(repository, folder)) return new Map()
  const declared: Declared[] = []
  for await (const { path, content } of sourceFiles(folder, language)) {
    const file = relative(repository, path).split(sep).join('/')
    declared.push(...placed(declarationsIn(content, language), file, content))
  }
  return new Map(
    changes.flatMap((change) => {
      const place = placeOf(change, declared)
      return place ? [[change.id, place]] : []
    })
  )
}

/** What a source file declares. */
export function declarationsIn(content: string, language: ModuleLanguage): Declaration[] {
  const { tokens, find } = languages[language]
  return find(sourceText(content, tokens))
}

type Language = { readonly tokens: RegExp; readonly find: (source: SourceText) => Declaration[] }

const languages: Readonly<Record<ModuleLanguage, Language>> = {
  rust: { tokens: rustTokens, find: rustDeclarations },
  typescript: { tokens: typescriptTokens, find: typescriptDeclarations },
  csharp: { tokens: csharpTokens, find: csharpDeclarations },
  cpp: { tokens: cppTokens, find: cppDeclarations }
}

type Declared = Pick<Declaration, 'kind' | 'name' | 'at' | 'row'> & {
  readonly place: SourcePlace
  readonly columns: readonly { readonly name: string; readonly place: SourcePlace }[]
}

function placed(declarations: readonly Declaration[], file: string, content: string): Declared[] {
  const lineOf = lineCounter(content)
  return declarations.map(({ kind, name, start, at, row, columns = [] }) => {
    const [line, endLine] = [lineOf(start), lineOf(at)]
    return {
      kind,
      name,
      at,
      ...(row !== undefined && { row }),
      place: { file, line, ...(endLine > line && { endLine }) },
      columns: columns.map((column) => ({ name: column.name, place: { file, line: lineOf(column.at) } }))
    }
  })
}

/** Tells the line of an offset. */
function lineCounter(content: string): (offset: number) => number {
  const ends = [...content.matchAll(/\n/g)].map(({ index }) => index)
  return (offset) => {
    let [from, to] = [0, ends.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if ((ends[middle] ?? 0) < offset) from = middle + 1
      else to = middle
    }
    return from + 1
  }
}

function placeOf(change: Change, declared: readonly Declared[]): SourcePlace | undefined {
  const kind = declarationKinds[change.subject.kind]
  if (kind === undefined || change.kind === `${change.subject.kind}-removed`) return undefined
  const declaration = theOnly(declared.filter((each) => each.kind === kind && isNamed(each, change.subject.name)))
  if (!declaration) return undefined
  return columnPlace(change, declaration, declared) ?? declaration.place
}

const declarationKinds: Readonly<Partial<Record<Change['subject']['kind'], DeclarationKind>>> = {
  table: 'table',
  view: 'view',
  reducer: 'reducer',
  procedure: 'procedure',
  'http-route': 'http-route',
  lifecycle: 'lifecycle',
  type: 'type'
}

/** Names of changes are the server's; the source has them as the server makes those from, or says them itself. */
function isNamed({ kind, name: written }: Declared, name: string): boolean {
  if (written === name) return true
  if (kind === 'http-route' || kind === 'lifecycle') return false
  return (kind === 'type' ? canonicalTypeName : canonicalName)(written, 'snake-case') === name
}

/** One place may declare several things, such as the tables of one struct. */
function theOnly(found: readonly Declared[]): Declared | undefined {
  const [first, ...others] = found
  return others.every(({ place, at }) => place.file === first?.place.file && at === first.at) ? first : undefined
}

function columnPlace(change: Change, table: Declared, declared: readonly Declared[]): SourcePlace | undefined {
  const isChanged = columnIn(change, table)
  if (!isChanged) return undefined
  const row = table.row === undefined ? table : rowOf(table, declared)
  const [column, ...others] = row?.columns?.filter(({ name }) => isChanged(name)) ?? []
  return others.length === 0 ? column?.place : undefined
}

/** Tells the one column that a change is about. */
function columnIn(change: Change, table: Declared): ((written: string) => boolean) | undefined {
  const isCalled = (name: string) => (written: string) =>
    written === name || canonicalName(written, 'snake-case') === name
  switch (change.kind) {
    case 'column-added':
    case 'column-default-changed':
    case 'column-type-changed':
      return isCalled(change.column)
    case 'unique-constraint-added':
    case 'unique-constraint-changed':
      return change.columns.length === 1 ? isCalled(change.columns[0] ?? '') : undefined
    case 'sequence-added':
    case 'sequence-changed':
      return (written) =>
        sequenceName(change.subject.name, canonicalName(written, 'snake-case')) === change.sequence ||
        sequenceName(table.name, written) === change.sequence
    default:
      return undefined
  }
}

/** In the same file before all others. */
function rowOf({ row, place }: Declared, declared: readonly Declared[]): Declared | undefined {
  const rows = declared.filter(({ kind, name }) => kind === 'row' && name === row)
  const here = rows.filter((each) => each.place.file === place.file)
  return theOnly(here.length > 0 ? here : rows)
}
