import type { ColumnDeclaration, Declaration } from './declaration.ts'
import { routesIn } from './routes.ts'
import { type Inside, identifier, insideOf, matchAt, matchesOf, type SourceText, stringAt } from './source-text.ts'

/** Line and block comments, raw strings, strings, and characters, which are no lifetimes. */
export const rustTokens =
  /\/\/[^\n]*|\/\*.*?(?:\*\/|$)|\bb?r(#*)".*?(?:"\1|$)|"(?:\\.|[^"\\])*(?:"|$)|'(?:\\[^\n]{1,8}?|[^\\'\n])'/gs

/**
 * What the attributes of the crate `spacetimedb` declare: `#[table(accessor = player, …)]`, `#[reducer]`, `#[view(…)]`,
 * `#[procedure]`, `derive(SpacetimeType)`, and routes.
 */
export function rustDeclarations(source: SourceText): Declaration[] {
  const attributes = matchesOf(
    /#\s*\[\s*(?:spacetimedb\s*::\s*)?(table|view|reducer|procedure|derive)\s*(?=[(\]])/g,
    source.code
  )
  return [...attributes.flatMap((match) => ofAttribute(source, match)), ...routesIn(source)]
}

function ofAttribute(source: SourceText, match: RegExpExecArray): Declaration[] {
  const [whole, attribute] = match
  const end = source.ends.get(source.code.indexOf('[', match.index))
  const item = end === undefined ? undefined : itemAfter(source, end)
  if (item === undefined) return []
  const given = insideOf(source, match.index + whole.length)
  const place = { start: match.index, at: item.at }
  if (item.keyword === 'fn') return ofFunction(source, attribute, given, item, place)
  const type: Declaration = { kind: 'type', name: item.typeName, ...place }
  if (attribute === 'derive') return /\bSpacetimeType\b/.test(given?.flat ?? '') ? [type] : []
  if (attribute !== 'table' || item.keyword !== 'struct' || !given) return []
  const name = argument(source, given, 'name') ?? argument(source, given, 'accessor')
  return name === undefined ? [] : [{ kind: 'table', name, ...place, columns: columnsOf(source, item.end) }, type]
}

function ofFunction(
  source: SourceText,
  attribute: string | undefined,
  given: Inside | undefined,
  { name: ownName }: Item,
  place: { readonly start: number; readonly at: number }
): Declaration[] {
  if (attribute !== 'view' && attribute !== 'reducer' && attribute !== 'procedure') return []
  const named = given && (argument(source, given, 'name') ?? argument(source, given, 'accessor'))
  const declared: Declaration = { kind: attribute, name: named ?? ownName, ...place }
  const [event] = /\b(init|client_connected|client_disconnected)\b/.exec(given?.flat ?? '') ?? []
  return event && attribute === 'reducer' ? [declared, { kind: 'lifecycle', name: event, ...place }] : [declared]
}

type Item = {
  readonly keyword: string
  readonly name: string
  /** What an attribute `sats` calls it, else its name. */
  readonly typeName: string
  readonly at: number
  /** After its name. */
  readonly end: number
}

const itemPattern = new RegExp(
  String.raw`\s*((?:pub\b\s*(?:\([^()]*\)\s*)?)?(?:(?:async|const|unsafe)\s+)*(struct|enum|fn)\s+(?:r#)?)${identifier}`,
  'uy'
)

/** Of one item. */
const mostAttributes = 30

/** What an attribute is of: the next item, with other attributes before it. */
function itemAfter(source: SourceText, from: number): Item | undefined {
  let at = from
  let satsName: string | undefined
  for (let passed = 0; passed < mostAttributes; passed++) {
    const other = matchAt(/\s*#\s*\[/y, source.code, at)
    if (!other) break
    const open = at + other[0].length - 1
    const end = source.ends.get(open)
    if (end === undefined) return undefined
    satsName ??= /^\[\s*sats\s*\(.*\bname\s*=\s*"([^"]*)"/s.exec(source.text.slice(open, end))?.[1]
    at = end
  }
  const item = matchAt(itemPattern, source.code, at)
  const [whole = '', , keyword, name] = item ?? []
  if (keyword === undefined || name === undefined) return undefined
  const end = at + whole.length
  return { keyword, name, typeName: satsName ?? name, at: end - name.length, end }
}

/** `name = "…"` or `accessor = …`: a string or a name. */
function argument(source: SourceText, { from, flat }: Inside, key: string): string | undefined {
  const match = new RegExp(String.raw`(?<![\p{L}\p{N}_])${key}\s*=\s*(?:r#)?(?:${identifier}|(?="))`, 'u').exec(flat)
  if (!match) return undefined
  return match[1] ?? stringAt(source, from + match.index + match[0].length)
}

const fieldPattern = new RegExp(String.raw`(?<=^|,)([\s#\[\]]*(?:pub\b[\s()]*)?(?:r#)?)${identifier}\s*:(?!:)`, 'gu')

function columnsOf(source: SourceText, afterName: number): ColumnDeclaration[] {
  const body = matchAt(/\s*(?:<[^{};()]{0,300}>\s*)?(?=\{)/y, source.code, afterName)
  const inside = body && insideOf(source, afterName + body[0].length)
  if (!inside) return []
  return [...inside.flat.matchAll(fieldPattern)].map(({ index, 1: before = '', 2: name = '' }) => ({
    name,
    at: inside.from + index + before.length
  }))
}
