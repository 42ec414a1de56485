import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import GithubSlugger from 'github-slugger'
import { marked, type Token, type Tokens } from 'marked'

export const root = resolve(import.meta.dirname, '../..')

/** A Markdown file for people, by its path from the repository's root. */
export type Page = { readonly path: string; readonly text: string; readonly tokens: readonly Token[] }

/** All pages that users and contributors read. */
export function allPages(): Page[] {
  const folders = ['', 'docs', 'actions', 'examples', 'workflows-examples', '.github']
  return folders
    .flatMap((folder) => markdownIn(join(root, folder), folder !== ''))
    .map((file) => {
      const text = readFileSync(file, 'utf8')
      return { path: relative(root, file).replaceAll('\\', '/'), text, tokens: marked.lexer(text) }
    })
}

function markdownIn(folder: string, deep: boolean): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return deep ? markdownIn(path, deep) : []
    return entry.name.endsWith('.md') ? [path] : []
  })
}

/** Where links of a page lead to, in its order. */
export function linksOf({ tokens }: Pick<Page, 'tokens'>): string[] {
  return every(tokens).flatMap((token) => (token.type === 'link' || token.type === 'image' ? [String(token.href)] : []))
}

/** What may stand behind `#` in a link to a page, as GitHub names its headings. */
export function anchorsOf({ tokens, text }: Pick<Page, 'tokens' | 'text'>): Set<string> {
  const slugger = new GithubSlugger()
  const headings = every(tokens).filter((token): token is Tokens.Heading => token.type === 'heading')
  const named = [...text.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, name = '']) => name)
  return new Set([...headings.map(({ tokens: inside }) => slugger.slug(plainText(inside))), ...named])
}

/** Blocks of code of a language. */
export function codeOf({ tokens }: Pick<Page, 'tokens'>, ...languages: readonly string[]): string[] {
  return every(tokens).flatMap((token) =>
    token.type === 'code' && languages.includes(String(token.lang)) ? [String(token.text)] : []
  )
}

function every(tokens: readonly Token[]): Token[] {
  const found: Token[] = []
  marked.walkTokens([...tokens], (token) => {
    found.push(token)
  })
  return found
}

function plainText(tokens: readonly Token[]): string {
  return tokens
    .map((token) => ('tokens' in token && token.tokens ? plainText(token.tokens) : token.raw.replace(/^`+|`+$/g, '')))
    .join('')
}
