import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { marked, type Tokens } from 'marked'
import { isSaid, textsIn, textsUnder } from './said-texts.ts'

const root = resolve(import.meta.dirname, '../..')
const recordings = join(root, 'test/fixtures/http')

const ours = textsUnder(join(root, 'src'), join(root, 'actions'))
const observed = [
  readFileSync(join(root, 'docs/server-behaviour.md'), 'utf8'),
  ...readdirSync(recordings).map((name) => readFileSync(join(recordings, name), 'utf8'))
]
  .map((text) => text.replace(/\s+/g, ' '))
  .join('\n')

/** The texts in the first columns of the page's tables, by the first column's heading. */
const rows = marked
  .lexer(readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8'))
  .filter((token): token is Tokens.Table => token.type === 'table')
  .flatMap(({ header, rows }) =>
    rows.map(([first, second]) => ({
      who: header[0]?.text,
      quoted: first?.tokens.flatMap((token) => (token.type === 'codespan' ? [(token as Tokens.Codespan).text] : [])),
      advice: second?.text
    }))
  )

describe('troubleshooting by the text of the error', () => {
  test.each(rows)('$quoted is what $who', ({ who, quoted = [], advice }) => {
    const texts = who === 'the server says' ? observed : ours
    expect(quoted).not.toEqual([])
    expect(quoted.filter((text) => !isSaid(text, texts))).toEqual([])
    expect(advice).not.toBe('')
  })

  test('there is no table of another kind', () => {
    expect([...new Set(rows.map(({ who }) => who))]).toEqual(['the error says', 'the server says'])
  })
})

describe('texts in sources', () => {
  const source = `
    // 'not this', nor /it's/
    const isQuote = /['"\`]/
    throw new Error(\`There is no "\${name ?? \`of \${kind}\`}" in \${place}. \` + 'Give one. ' + advice + "It's needed.")
  `

  test('are found whole, with … for what differs', () => {
    expect(textsIn(source)).toContain('There is no "…" in …. Give one. …It\'s needed.')
  })

  test('are neither comments nor regular expressions', () => {
    expect(isSaid('not this', textsIn(source).join('\n'))).toBe(false)
    expect(isSaid('is needed', textsIn(source).join('\n'))).toBe(false)
  })

  test.each(['There is no "…" in', 'There is no "…', '… Give one. …'])('say %s', (quoted) => {
    expect(isSaid(quoted, textsIn(source).join('\n'))).toBe(true)
  })

  test.each(['There is no "x" in', 'give one', '…', ''])('do not say %j', (quoted) => {
    expect(isSaid(quoted, textsIn(source).join('\n'))).toBe(false)
  })
})
