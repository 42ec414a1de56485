import { describe, expect, test } from '@jest/globals'
import { plain, renderMarkdown } from './terminal-markdown.ts'

const render = (markdown: string, columns = 60) => renderMarkdown(markdown, { paint: plain, columns })

describe('renderMarkdown', () => {
  test.each([
    ['a heading', '## Deploy of `game`', 'Deploy of game'],
    ['emphasis, code and escapes', 'is **live**: `a|b` 1 \\< 2 &amp; 3 &gt; 2', 'is live: a|b 1 < 2 & 3 > 2'],
    ['a link', 'see [the docs](https://example.org/x)', 'see the docs (https://example.org/x)'],
    ['a list', '- one\n- two', '• one\n• two'],
    ['an alert', '> [!CAUTION]\n> Rolled back.', '┃ CAUTION\n┃ Rolled back.'],
    ['code', '```sh\n# no heading\n| no table |\n```\nafter', '  │ # no heading\n  │ | no table |\nafter'],
    ['details', '<details><summary>The <b>plan</b></summary>\n\ntext\n</details>', '▾ The plan\n\ntext'],
    ['comments', 'a <!-- hidden\nlines --> b', 'a  b']
  ])('%s', (_, markdown, text) => {
    expect(render(markdown)).toBe(text)
  })

  test('a table, its columns aligned whatever stands in them', () => {
    const table = '| step | what |\n| :--- | ---: |\n| ✅ plan | `x` |\n| a \\| b | |'
    expect(render(table).split('\n')).toEqual(['  step      what', '  ✅ plan   x', '  a | b'])
  })

  test('a table that is too wide, its longest cells broken', () => {
    const table = '| step | what |\n| - | - |\n| plan | one two three four five six seven |'
    expect(render(table, 28).split('\n')).toEqual([
      '  step   what',
      '  plan   one two three four',
      '         five six seven'
    ])
  })

  test('long lines are broken between words, list items indented', () => {
    expect(render(`- ${'word '.repeat(6)}`, 18).split('\n')).toEqual(['• word word word', '  word word word'])
  })
})
