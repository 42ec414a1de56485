import type { ColumnDeclaration, Declaration } from './declaration.ts'
import { routesIn } from './routes.ts'
import { identifier, insideOf, matchesOf, partsOf, type SourceText, stringAt } from './source-text.ts'

/** Comments, templates, and strings. Not regular expressions: one with a quote in it ends at the line's end. */
export const typescriptTokens =
  /\/\/[^\n]*|\/\*.*?(?:\*\/|$)|`(?:\\.|[^`\\])*(?:`|$)|"(?:\\[^\n]|[^"\\\n])*"?|'(?:\\[^\n]|[^'\\\n])*'?/gs

/**
 * What is declared by the package `spacetimedb/server`: `table({ name: 'player' }, { … })`, in `schema({ … })` too,
 * `export const add = spacetimedb.reducer(…)` or `spacetimedb.reducer('add', …)`, types, and routes.
 */
export function typescriptDeclarations(source: SourceText): Declaration[] {
  return [...tablesIn(source), ...rowsIn(source), ...functionsIn(source), ...typesIn(source), ...routesIn(source)]
}

const tablePattern = /(?<![\p{L}\p{N}_$.])table\s*(?=\()/gu

function tablesIn(source: SourceText): Declaration[] {
  const keys = schemaKeys(source)
  return matchesOf(tablePattern, source.code).flatMap(({ 0: whole, index: at }) => {
    const inside = insideOf(source, at + whole.length)
    const bound = boundTo(source, at)
    const [options, row] = inside ? partsOf(source, inside) : []
    if (!options) return []
    const name = nameIn(source, options.from) ?? (bound && (keys.get(bound.name) ?? bound.name))
    if (name === undefined) return []
    const place = { start: bound?.start ?? at, at }
    if (!row) return [{ kind: 'table', name, ...place }]
    const columns = columnsAt(source, row.from)
    return [{ kind: 'table', name, ...place, ...(columns ? { columns } : { row: row.text }) }]
  })
}

/** The keys by which `schema({ person: Person })` has tables that variables hold. */
function schemaKeys(source: SourceText): ReadonlyMap<string, string> {
  const keys = new Map<string, string>()
  for (const { 0: whole, index } of matchesOf(/(?<![\p{L}\p{N}_$.])schema\s*\(\s*(?=\{)/gu, source.code)) {
    const inside = insideOf(source, index + whole.length)
    for (const { text } of inside ? partsOf(source, inside) : []) {
      const [, key, variable] = /^["']?([\p{L}\p{N}_$]+)["']?\s*:\s*([\p{L}\p{N}_$]+)$/u.exec(text) ?? []
      if (key !== undefined && variable !== undefined) keys.set(variable, key)
    }
  }
  return keys
}

const rowPattern = new RegExp(
  String.raw`\b(?:const|let|var)\s+${identifier}(?:\s*:[^=;]{0,200})?\s*=\s*` +
    String.raw`(?:t\s*\.\s*(?:row|object)\s*\(\s*(?:["'\x60]\s*["'\x60]\s*,\s*)?)?(?=\{)`,
  'gu'
)

function rowsIn(source: SourceText): Declaration[] {
  return matchesOf(rowPattern, source.code).flatMap(({ 0: whole, 1: name = '', index: start }) => {
    const columns = columnsAt(source, start + whole.length)
    return columns ? [{ kind: 'row', name, start, at: start, columns }] : []
  })
}

const functionPattern =
  /(?<![\p{L}\p{N}_$])[\p{L}_$][\p{L}\p{N}_$]*\s*\.\s*(reducer|procedure|view|anonymousView|init|clientConnected|clientDisconnected)\s*(?=\()/gu

const functionKinds = {
  reducer: { kind: 'reducer' },
  procedure: { kind: 'procedure' },
  view: { kind: 'view' },
  anonymousView: { kind: 'view' },
  init: { kind: 'reducer', event: 'init' },
  clientConnected: { kind: 'reducer', event: 'client_connected' },
  clientDisconnected: { kind: 'reducer', event: 'client_disconnected' }
} as const

function functionsIn(source: SourceText): Declaration[] {
  return matchesOf(functionPattern, source.code).flatMap(({ 0: whole, 1: method = '', index: at }) => {
    const inside = insideOf(source, at + whole.length)
    const [first] = inside ? partsOf(source, inside) : []
    const called: { kind: Declaration['kind']; event?: string } = functionKinds[method as keyof typeof functionKinds]
    if (!first) return []
    const bound = boundTo(source, at)
    const place = { start: bound?.start ?? at, at }
    const name = stringAt(source, first.from) ?? nameIn(source, first.from) ?? bound?.name
    return [
      ...(name === undefined ? [] : [{ kind: called.kind, name, ...place }]),
      ...(called.event === undefined ? [] : [{ kind: 'lifecycle', name: called.event, ...place } as const])
    ]
  })
}

function typesIn(source: SourceText): Declaration[] {
  return matchesOf(/\bt\s*\.\s*(?:object|enum|row)\s*\(\s*(?=["'`])/g, source.code).flatMap(
    ({ 0: whole, index: at }) => {
      const name = stringAt(source, at + whole.length)
      return name === undefined ? [] : [{ kind: 'type', name, start: boundTo(source, at)?.start ?? at, at }]
    }
  )
}

const boundPattern = new RegExp(
  String.raw`(?:[\s{,(;](?:export\s+)?(?:const|let|var)\s+${identifier}(?:\s*:[^=;]{0,200})?\s*=|[{,]\s*["']?([\p{L}\p{N}_$]+)["']?\s*:)\s*$`,
  'u'
)

/** The variable, or the key of an object, that what stands at an offset is the value of. */
function boundTo({ text }: SourceText, at: number): { readonly name: string; readonly start: number } | undefined {
  const before = ` ${text.slice(Math.max(0, at - 200), at)}`
  const match = boundPattern.exec(before)
  const name = match?.[1] ?? match?.[2]
  if (!match || name === undefined) return undefined
  const start = match.index + match[0].search(/[^\s{,(]/)
  return { name, start: at - (before.length - start) }
}

/** `name: '…'` in the object at an offset. */
function nameIn(source: SourceText, at: number): string | undefined {
  const inside = source.code.charAt(at) === '{' ? insideOf(source, at) : undefined
  const match = /(?<![\p{L}\p{N}_$])name\s*:\s*(?=["'`])/u.exec(inside?.flat ?? '')
  return inside && match ? stringAt(source, inside.from + match.index + match[0].length) : undefined
}

/** The keys of the object at an offset. */
function columnsAt(source: SourceText, at: number): ColumnDeclaration[] | undefined {
  const inside = source.code.charAt(at) === '{' ? insideOf(source, at) : undefined
  return (
    inside &&
    partsOf(source, inside).flatMap(({ from, text }) => {
      const [, name] = /^["']?([\p{L}\p{N}_$]+)["']?\s*(?::|$)/u.exec(text) ?? []
      return name === undefined ? [] : [{ name, at: from }]
    })
  )
}
