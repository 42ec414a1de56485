import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { marked } from 'marked'
import { allPages, anchorsOf, linksOf, root } from './pages.ts'

const pages = allPages()
const anchors = new Map(pages.map((page) => [page.path, anchorsOf(page)]))

/** This repository's own files by their addresses, as copies elsewhere link them. */
const own =
  /^https:\/\/(?:github\.com\/org\/stdb-actions\/(?:blob|tree)|raw\.githubusercontent\.com\/org\/stdb-actions)\/[^/]+\//

/** What is wrong with a link on a page, or `undefined`. Of other sites only the form of the address is looked at: nothing is fetched. */
function problemWith(href: string, from: string): string | undefined {
  if (/^[a-z]+:/.test(href) && !own.test(href)) {
    return /^(https:|mailto:|http:\/\/127\.0\.0\.1\b)/.test(href) && URL.canParse(href)
      ? undefined
      : 'is no https address'
  }
  const [path = '', anchor] = href.replace(own, '/').split('#')
  const file = path === '' ? from : path.startsWith('/') ? path.slice(1) : posix.join(posix.dirname(from), path)
  if (file.startsWith('..')) return 'leads out of the repository'
  if (!existsSync(join(root, file))) return `leads to ${file}, which is not there`
  if (anchor === undefined || !file.endsWith('.md')) return undefined
  return anchors.get(file)?.has(anchor) ? undefined : `leads to #${anchor}, and ${file} has no such heading`
}

describe('links', () => {
  test('are looked for on all pages', () => {
    expect([...anchors.keys()]).toEqual(
      expect.arrayContaining([
        'README.md',
        'CONTRIBUTING.md',
        'docs/deploy.md',
        'docs/guides/keyless.md',
        'actions/deploy/README.md'
      ])
    )
    expect(pages.flatMap(linksOf).length).toBeGreaterThan(200)
  })

  test.each(pages)('of $path lead somewhere', (page) => {
    const wrong = linksOf(page).flatMap((href) => {
      const problem = problemWith(href, page.path)
      return problem === undefined ? [] : [`${href} ${problem}`]
    })
    expect(wrong).toEqual([])
  })

  test.each([
    ['deploy.md#results', undefined],
    ['../README.md', undefined],
    ['#results', undefined],
    ['https://raw.githubusercontent.com/org/stdb-actions/v1/schemas/checks.schema.json', undefined],
    ['https://example.org/a', undefined],
    ['deploy.md#result', 'leads to #result, and docs/deploy.md has no such heading'],
    ['deplot.md', 'leads to docs/deplot.md, which is not there'],
    ['https://github.com/org/stdb-actions/blob/v1/docs/no.md', 'leads to docs/no.md, which is not there'],
    ['../../x.md', 'leads out of the repository'],
    ['http://example.org', 'is no https address']
  ])('%s: %s', (href, problem) => {
    expect(problemWith(href, 'docs/deploy.md')).toBe(problem)
  })

  test('are found in text, lists and tables; anchors are as GitHub makes them', () => {
    const text =
      '# A `b` & [c](d.md)\n\n- [e](f.md)\n\n| g |\n| --- |\n| [h][i] |\n\n## A b\n\n[i]: j.md\n\n```md\n[no](k.md)\n```\n'
    const page = { text, tokens: marked.lexer(text) }
    expect(linksOf(page)).toEqual(['d.md', 'f.md', 'j.md'])
    expect([...anchorsOf(page)]).toEqual(['a-b--c', 'a-b'])
  })
})
