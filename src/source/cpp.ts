import type { Declaration, DeclarationKind } from './declaration.ts'
import { routesIn } from './routes.ts'
import { identifier, insideOf, matchesOf, partsOf, type SourceText } from './source-text.ts'

/** Definitions of macros, comments, raw strings, strings, and characters, which are no separators of digits. */
export const cppTokens =
  /#[ \t]*define\b(?:\\\r?\n|[^\n])*|\/\/[^\n]*|\/\*.*?(?:\*\/|$)|\bR"([^()\\\s"]{0,16})\(.*?(?:\)\1"|$)|"(?:\\[^\n]|[^"\\\n])*"?|'(?:\\[^\n]{1,8}?|[^\\'\n])'/gs

/** What the macros of the C++ bindings declare: `SPACETIMEDB_TABLE(Player, player, Public)`, `SPACETIMEDB_REDUCER(add, …)`, and routes. */
export function cppDeclarations(source: SourceText): Declaration[] {
  const macros = matchesOf(/\bSPACETIMEDB_([A-Z_]+)\s*(?=\()/g, source.code)
  return [...macros.flatMap((match) => ofMacro(source, match)), ...rowsIn(source), ...routesIn(source)]
}

type Macro = {
  readonly kind: DeclarationKind
  /** Which argument is the name, and which one, if any, is the name that the database has it by. */
  readonly name: number
  readonly databaseName?: number
  readonly event?: string
}

/** `crates/bindings-cpp/include/spacetimedb` of https://github.com/clockworklabs/SpacetimeDB. */
const macros: Readonly<Record<string, Macro>> = {
  REDUCER: { kind: 'reducer', name: 0 },
  REDUCER_NAMED: { kind: 'reducer', name: 0, databaseName: 1 },
  INIT: { kind: 'reducer', name: 0, event: 'init' },
  CLIENT_CONNECTED: { kind: 'reducer', name: 0, event: 'client_connected' },
  CLIENT_DISCONNECTED: { kind: 'reducer', name: 0, event: 'client_disconnected' },
  VIEW: { kind: 'view', name: 1 },
  VIEW_NAMED: { kind: 'view', name: 1, databaseName: 2 },
  PROCEDURE: { kind: 'procedure', name: 1 },
  PROCEDURE_NAMED: { kind: 'procedure', name: 1, databaseName: 2 },
  STRUCT: { kind: 'type', name: 0 },
  ENUM: { kind: 'type', name: 0 }
}

function ofMacro(source: SourceText, { 0: whole, 1: macroName = '', index: start }: RegExpExecArray): Declaration[] {
  const inside = insideOf(source, start + whole.length)
  if (!inside) return []
  const given = partsOf(source, inside)
  if (macroName === 'TABLE') return ofTable(given, start)
  const macro = macros[macroName]
  const own = macro && given[macro.name]
  const databaseName = macro?.databaseName === undefined ? undefined : unquoted(given[macro.databaseName]?.text)
  const name = databaseName ?? nameIn(own?.text)
  if (!macro || !own || name === undefined) return []
  const place = { start, at: own.from }
  const declared: Declaration = { kind: macro.kind, name, ...place }
  return macro.event ? [declared, { kind: 'lifecycle', name: macro.event, ...place }] : [declared]
}

/** The type, the name, the access, and then, in some order of the bindings, an event flag and a name in quotes. */
function ofTable(given: readonly { readonly from: number; readonly text: string }[], start: number): Declaration[] {
  const [type, own, , ...options] = given
  const databaseName = options.map(({ text }) => unquoted(text)).find((text) => text !== undefined)
  const name = databaseName ?? nameIn(own?.text)
  const row = nameIn(type?.text)
  if (!own || name === undefined || row === undefined) return []
  return [{ kind: 'table', name, start, at: own.from, row }]
}

function nameIn(text: string | undefined): string | undefined {
  return /^\w+$/.test(text ?? '') ? text : unquoted(text)
}

function unquoted(text: string | undefined): string | undefined {
  return /^"([^"\\]*)"$/.exec(text ?? '')?.[1]
}

const structPattern = new RegExp(String.raw`\b(?:struct|class)\s+${identifier}\s*(?:final\s*)?(?=\{)`, 'gu')
const fieldPattern = new RegExp(String.raw`^([^{}()]*?(?<![\p{L}\p{N}_]))${identifier}\s*(?:=.*|\{\s*\})?\s*$`, 'su')

/** Characters of a field, with its type and default. */
const longestField = 500

/** A table is of a struct, which may be in another file. */
function rowsIn(source: SourceText): Declaration[] {
  return matchesOf(structPattern, source.code).flatMap(({ 0: whole, 1: name = '', index: start }) => {
    const inside = insideOf(source, start + whole.length)
    if (!inside) return []
    const at = start + whole.indexOf(name, whole.search(/\s/))
    return [{ kind: 'row', name, start, at, columns: fieldsOf(inside.flat, inside.from) }]
  })
}

function fieldsOf(body: string, from: number): { name: string; at: number }[] {
  const statements = [...body.slice(0, Math.max(0, body.lastIndexOf(';'))).matchAll(/[^;]+/g)]
  return statements.flatMap(({ 0: statement, index }) => {
    const [, before = '', name] = (statement.length <= longestField && fieldPattern.exec(statement)) || []
    return name === undefined ? [] : [{ name, at: from + index + before.length }]
  })
}
