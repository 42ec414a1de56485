import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from '@babel/parser'

/** What stands in a quoted text for a part that differs: a name, a number, a reason. */
export const anything = '…'

/** All texts in the TypeScript files under folders, each in one line: what is put into a template is `…`. */
export function textsUnder(...folders: readonly string[]): string {
  return folders
    .flatMap(sourcesUnder)
    .flatMap((file) => textsIn(readFileSync(file, 'utf8')))
    .map((text) => text.replace(/\s+/g, ' '))
    .join('\n')
}

/** Whether one of the texts says it. A `…` at an end may be anything, and left out. */
export function isSaid(quoted: string, texts: string): boolean {
  const wanted = quoted.replace(/\s+/g, ' ').replace(/^[\s…]+|[\s…]+$/g, '')
  return wanted !== '' && texts.includes(wanted)
}

function sourcesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sourcesUnder(path)
    return entry.name.endsWith('.ts') ? [path] : []
  })
}

/** The texts of string literals and templates; what is joined by `+` is one text. */
export function textsIn(source: string): string[] {
  const texts: string[] = []
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) visit(item)
    if (!isNode(value)) return
    const text = textOf(value)
    if (text !== undefined) texts.push(text)
    for (const child of Object.values(value)) visit(child)
  }
  visit(parse(source, { sourceType: 'module', plugins: ['typescript'] }).program)
  return texts
}

type SyntaxNode = { readonly type: string } & Readonly<Record<string, unknown>>

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

/** The text that an expression makes, or `undefined` when it is none that is written there. */
function textOf(node: SyntaxNode): string | undefined {
  if (node.type === 'StringLiteral') return String(node.value)
  if (node.type === 'TemplateLiteral') {
    const parts = node.quasis as { value: { cooked: string } }[]
    return parts.map(({ value }) => value.cooked).join(anything)
  }
  if (node.type !== 'BinaryExpression' || node.operator !== '+') return undefined
  const sides = [node.left, node.right].map((side) => (isNode(side) ? textOf(side) : undefined))
  return sides.every((side) => side === undefined) ? undefined : sides.map((side) => side ?? anything).join('')
}
