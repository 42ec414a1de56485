import { describe, expect, test } from '@jest/globals'
import { code, codeBlock, escapeMarkdown, quote, table } from '../src/markdown.ts'

describe('escapeMarkdown', () => {
  test.each([
    ['a *b* _c_ `d`', 'a \\*b\\* \\_c\\_ \\`d\\`'],
    ['<script>', '\\<script\\>'],
    ['[a](b)', '\\[a\\]\\(b\\)'],
    ['two\nlines', 'two lines'],
    ['- no list', '\\- no list'],
    ['1. no list', '1\\. no list'],
    ['@someone', '@\u2060someone'],
    ['fixes #12', 'fixes #\u206012'],
    ['https://example.com', 'https\u2060://example.com']
  ])('%j', (text, escaped) => {
    expect(escapeMarkdown(text)).toBe(escaped)
  })
})

describe('code', () => {
  test.each([
    ['plain', '`plain`'],
    ['a`b', '`` a`b ``'],
    ['``', '``` `` ```'],
    ['', '` `']
  ])('%j', (text, span) => {
    expect(code(text)).toBe(span)
  })
})

test('codeBlock has a fence that its text has not', () => {
  expect(codeBlock('```\nx\n```\n')).toBe('````text\n```\nx\n```\n````')
})

test('quote keeps the lines, and none leaves the quotation', () => {
  expect(quote('one\n# two\n')).toBe('> one  \n> \\# two')
})

test('a pipe in a cell does not make another cell', () => {
  const [, , row] = table(['a', 'b'], [[code('x|y'), 'z']]).split('\n')
  expect(row).toBe('| `x\\|y` | z |')
})
