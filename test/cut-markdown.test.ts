import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { cutMarkdown } from '../src/cut-markdown.ts'

const cut = (markdown: string, limit: number) =>
  cutMarkdown(markdown, { limit, sizeOf: (text) => text.length, note: '_cut_' })

const filler = 'x\n'.repeat(200)

describe('cutting Markdown', () => {
  test('leaves what fits', () => {
    expect(cut('a\nb', 4)).toBe('a\nb\n')
    expect(cut('a\nb\n', 4)).toBe('a\nb\n')
  })

  test('keeps whole lines, then says so', () => {
    expect(cut('first\nsecond\nthird\n', 18)).toBe('first\n\n_cut_\n')
  })

  test('leaves the note alone when the first line is too long', () => {
    expect(cut('x'.repeat(100), 50)).toBe('\n_cut_\n')
  })

  test('leaves nothing when not even the note fits', () => {
    expect(cut('x'.repeat(100), 6)).toBe('')
  })

  test.each([
    ['a block of code', `\`\`\`text\n${filler}\`\`\`\n`, /x\n```\n\n_cut_\n$/],
    ['a block with a longer fence', `\`\`\`\`text\n\`\`\`\n${filler}\`\`\`\`\n`, /x\n````\n\n_cut_\n$/],
    ['a block of tildes', `~~~\n\`\`\`\n${filler}~~~\n`, /x\n~~~\n\n_cut_\n$/],
    ['what is folded away', `<details><summary>s</summary>\n\n${filler}</details>\n`, /x\n\n<\/details>\n\n_cut_\n$/],
    [
      'code that is folded away',
      `<details>\n\n\`\`\`\n${filler}\`\`\`\n</details>`,
      /x\n```\n\n<\/details>\n\n_cut_\n$/
    ],
    ['two of them', `<details>\n<details>\n\n${filler}`, /x\n\n<\/details>\n\n<\/details>\n\n_cut_\n$/],
    [
      'nothing that is closed',
      `<details>\n\n\`\`\`\na\n\`\`\`\n\n</details>\n\n${filler}`,
      /<\/details>\n\n(x\n)+\n_cut_\n$/
    ],
    [
      'nothing that is only text',
      `\\<details> and \`<details>\`\n${filler}`,
      /^\\<details> and `<details>`\n(x\n)+\n_cut_\n$/
    ],
    ['nothing that is in a block', `\`\`\`\n<details>\n\`\`\`\n${filler}`, /^```\n<details>\n```\n(x\n)+\n_cut_\n$/],
    ['no code in a line', `\`\`\`a\`\`\` b\n${filler}`, /^```a``` b\n(x\n)+\n_cut_\n$/]
  ])('closes %s', (_, markdown, expected) => {
    const result = cut(markdown, 150)
    expect(result).toMatch(expected)
    expect(result.length).toBeLessThanOrEqual(150)
  })

  test('leaves out a diagram that it would cut in two', () => {
    expect(cut(`before\n\`\`\`mermaid\n${filler}\`\`\`\n`, 150)).toBe('before\n\n_cut_\n')
    const short = 'before\n```mermaid\nerDiagram\n```\n'
    expect(cut(`${short}${filler}`, 150)).toMatch(/^before\n```mermaid\nerDiagram\n```\n(x\n)+\n_cut_\n$/)
  })

  const line = fc.constantFrom('```', '````text', '~~~', '<details>', '</details>', '```mermaid', 'text', '', '| a |')
  const markdown = fc.array(line, { maxLength: 60 }).map((lines) => lines.join('\n'))

  test('exceeds no limit, and invents nothing', () => {
    fc.assert(
      fc.property(markdown, fc.integer({ min: 0, max: 400 }), (text, limit) => {
        const result = cut(text, limit)
        expect(result.length).toBeLessThanOrEqual(limit)
        const kept = result.replace(/(```+|~~~+)?\n?(\n<\/details>\n)*\n_cut_\n$/, '')
        expect(`${text}\n`.startsWith(kept)).toBe(true)
      })
    )
  })
})
