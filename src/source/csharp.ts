import type { ColumnDeclaration, Declaration } from './declaration.ts'
import { routesIn } from './routes.ts'
import { type Inside, identifier, insideOf, matchAt, matchesOf, type SourceText, stringAt } from './source-text.ts'

/** Comments, raw strings, verbatim strings, strings, and characters. */
export const csharpTokens =
  /\/\/[^\n]*|\/\*.*?(?:\*\/|$)|"""+.*?(?:"""+|$)|\$?@\$?"(?:""|[^"])*(?:"|$)|"(?:\\[^\n]|[^"\\\n])*"?|'(?:\\[^\n]{1,8}?|[^\\'\n])'/gs

/** What attributes declare: `[SpacetimeDB.Table(Accessor = "player")]`, `[Reducer]`, `[View]`, `[Procedure]`, `[Type]`, and routes. */
export function csharpDeclarations(source: SourceText): Declaration[] {
  const attributes = matchesOf(
    /[[,]\s*(?:global\s*::\s*)?(?:SpacetimeDB\s*\.\s*)?(Table|View|Reducer|Procedure|Type)(?:Attribute)?\s*(?=[(\],])/g,
    source.code
  )
  return [...attributes.flatMap((match) => ofAttribute(source, match)), ...routesIn(source)]
}

function ofAttribute(source: SourceText, { 0: whole, 1: attribute, index }: RegExpExecArray): Declaration[] {
  const start = source.code.lastIndexOf('[', index)
  const end = endOfSections(source, start)
  if (end === undefined) return []
  const given = insideOf(source, index + whole.length)
  switch (attribute) {
    case 'Table':
    case 'Type':
      return ofType(source, attribute, given, start, end)
    case 'View':
      return ofMethod(source, 'view', given, start, end)
    case 'Procedure':
      return ofMethod(source, 'procedure', given, start, end)
    default:
      return ofMethod(source, 'reducer', given, start, end)
  }
}

/** Of one declaration. */
const mostSections = 30

/** After an attribute's brackets, and those that follow. */
function endOfSections({ code, ends }: SourceText, start: number): number | undefined {
  let end = ends.get(start)
  for (let passed = 0; passed < mostSections && end !== undefined; passed++) {
    const next = matchAt(/\s*\[/y, code, end)
    if (!next) return end
    end = ends.get(end + next[0].length - 1)
  }
  return undefined
}

const typePattern = new RegExp(
  String.raw`(\s*(?:(?:public|private|protected|internal|file|static|sealed|abstract|readonly|ref|partial)\s+)*` +
    String.raw`(?:struct|class|enum|record(?:\s+(?:struct|class))?)\s+)${identifier}`,
  'uy'
)

function ofType(
  source: SourceText,
  attribute: 'Table' | 'Type',
  given: Inside | undefined,
  start: number,
  end: number
): Declaration[] {
  const { 0: whole = '', 1: before = '', 2: name } = matchAt(typePattern, source.code, end) ?? []
  if (name === undefined) return []
  const place = { start, at: end + before.length }
  const type: Declaration = { kind: 'type', name, ...place }
  if (attribute === 'Type') return [type]
  const tableName = nameGiven(source, given, name)
  if (tableName === undefined) return [type]
  return [{ kind: 'table', name: tableName, ...place, columns: columnsOf(source, end + whole.length) }, type]
}

const methodPattern = new RegExp(String.raw`(\s*[^({;=]{0,300}?)(?<![\p{L}\p{N}_])${identifier}\s*\(`, 'uy')

function ofMethod(
  source: SourceText,
  kind: 'view' | 'reducer' | 'procedure',
  given: Inside | undefined,
  start: number,
  end: number
): Declaration[] {
  const [, before = '', ownName] = matchAt(methodPattern, source.code, end) ?? []
  const name = ownName === undefined ? undefined : nameGiven(source, given, ownName)
  if (name === undefined) return []
  const place = { start, at: end + before.length }
  const [, event] = /\bReducerKind\s*\.\s*(Init|ClientConnected|ClientDisconnected)\b/.exec(given?.flat ?? '') ?? []
  const declared: Declaration = { kind, name, ...place }
  return event === undefined
    ? [declared]
    : [declared, { kind: 'lifecycle', name: lifecycleEvents[event] ?? event, ...place }]
}

const lifecycleEvents: Readonly<Record<string, string>> = {
  Init: 'init',
  ClientConnected: 'client_connected',
  ClientDisconnected: 'client_disconnected'
}

/** `Name = "…"` before `Accessor = "…"` before its own; `undefined` for a name that is not written there. */
function nameGiven(source: SourceText, given: Inside | undefined, ownName: string): string | undefined {
  for (const key of ['Name', 'Accessor']) {
    const match = new RegExp(String.raw`\b${key}\s*=\s*`).exec(given?.flat ?? '')
    if (!given || !match) continue
    const at = given.from + match.index + match[0].length
    return stringAt(source, at) ?? matchAt(/nameof\s*\(\s*(?:\w+\s*\.\s*)*(\w+)\s*\)/y, source.code, at)?.[1]
  }
  return ownName
}

const memberPattern = new RegExp(
  String.raw`(?<![\p{L}\p{N}_])((?:public|internal)\s+(?!(?:static|const|override|partial|struct|class|enum|record)\b)(?:[^;{}()=]|\(\s*\)){0,200}?(?<![\p{L}\p{N}_]))${identifier}\s*(?=[;={])`,
  'gu'
)

/** Fields and properties. */
function columnsOf(source: SourceText, afterName: number): ColumnDeclaration[] {
  const before = matchAt(/[^;{}()]{0,500}(?=\{)/y, source.code, afterName)
  const inside = before && insideOf(source, afterName + before[0].length)
  if (!inside) return []
  return [...inside.flat.matchAll(memberPattern)].map(({ index, 1: start = '', 2: name = '' }) => ({
    name,
    at: inside.from + index + start.length
  }))
}
