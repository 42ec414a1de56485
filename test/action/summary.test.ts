import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { cutToBytes } from '../../src/action/summary.ts'

describe('cutting a summary', () => {
  test('leaves what fits as it is', () => {
    expect(cutToBytes('a\nb', 4)).toBe('a\nb\n')
  })

  test('keeps whole lines and says so', () => {
    const cut = cutToBytes(`${'line\n'.repeat(1_000)}`, 200)
    expect(cut).toMatch(/^(line\n)+\n_The rest was cut.*_\n$/)
  })

  test('closes a block of code that it cuts in two', () => {
    const cut = cutToBytes(`\`\`\`\n${'code\n'.repeat(1_000)}\`\`\`\n`, 300)
    expect(cut.match(/^```$/gm)).toHaveLength(2)
  })

  test('never exceeds the limit, and is text', () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 80 }).filter((text) => !text.includes('\ufffd'))
    const lines = fc.array(line).map((each) => each.join('\n'))
    fc.assert(
      fc.property(lines, fc.integer({ min: -10, max: 2_000 }), (markdown, limit) => {
        const cut = cutToBytes(markdown, limit)
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(Math.max(0, limit))
        expect(cut).not.toContain('\ufffd')
      })
    )
  })
})
