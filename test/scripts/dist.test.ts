import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { differences, readFiles } from '../../scripts/files.ts'
import { fits } from '../../scripts/licenses.ts'
import { actionSpecs } from '../../scripts/repository.ts'
import { nodes } from '../runner/node24.ts'

const root = resolve(import.meta.dirname, '../..')
const dist = join(root, 'build/dist')
const scratch = mkdtempSync(join(tmpdir(), 'dist-'))

afterAll(() => rmSync(scratch, { recursive: true }))

function runStub(folder: string, stub: string, node = process.execPath) {
  return spawnSync(node, [join(folder, stub)], {
    encoding: 'utf8',
    env: { GITHUB_ACTIONS: 'true', GITHUB_OUTPUT: '' },
    cwd: scratch
  })
}

describe('the built actions', () => {
  test('have what every action.yml names', async () => {
    for (const { name, post } of await actionSpecs()) {
      expect(existsSync(join(dist, `${name}.js`))).toBe(true)
      expect(existsSync(join(dist, `${name}-post.js`))).toBe(post === true)
    }
  })

  describe.each(nodes())('on $title', ({ path }) => {
    const where = path === undefined ? test.skip : test
    where('tell wrong inputs by one annotation and exit code 1', () => {
      const { status, stdout, stderr } = runStub(dist, 'deploy.js', path)
      expect(stdout).toMatch(/\n::error title=deploy%3A wrong configuration::\d inputs are wrong:.*`server`.*\n$/)
      expect(stdout.match(/^::error/gm)).toHaveLength(1)
      expect({ status, stderr }).toEqual({ status: 1, stderr: '' })
    })
  })

  test.each(['step-deploy.js', 'chunk-*.js'])('tell by one line that %s can not be loaded', (missing) => {
    const broken = mkdtempSync(join(scratch, 'broken-'))
    cpSync(dist, broken, { recursive: true, dereference: true })
    for (const name of readFiles(broken).keys()) {
      if (missing === name || (missing === 'chunk-*.js' && name.startsWith('chunk-'))) rmSync(join(broken, name))
    }
    const { status, stdout, stderr } = runStub(broken, 'deploy.js')
    expect(stdout).toMatch(/^::error title=deploy could not be started::[^\n]*\n$/)
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' })
  })

  test('print no line of minified code when that does not even compile', () => {
    const broken = mkdtempSync(join(scratch, 'broken-'))
    cpSync(dist, broken, { recursive: true, dereference: true })
    const step = join(broken, 'step-deploy.js')
    writeFileSync(step, `${readFileSync(step, 'utf8')}\n)`)
    const { status, stdout, stderr } = runStub(broken, 'deploy.js')
    expect(stdout.length).toBeLessThan(300)
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' })
  })

  test('describe modules in a program that needs no other file', () => {
    const program = readFileSync(join(dist, 'describe-child.js'), 'utf8')
    const imported = [...program.matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g)].map(([, name = '']) => name)
    expect(imported.filter((name) => !builtinModules.includes(name.replace('node:', '')))).toEqual([])
  })

  test('come with the licences of what is in them', () => {
    const licenses = readFileSync(join(dist, 'licenses.txt'), 'utf8')
    for (const name of ['@actions/core', '@actions/http-client', 'zod', 'tunnel']) {
      expect(licenses).toMatch(new RegExp(`^${name} [\\d.]+ \\(MIT\\)$`, 'm'))
    }
  })

  test('take Node’s own modules by a call, since an import makes all that they have', () => {
    const chunks = [...readFiles(dist)].filter(([name]) => name.endsWith('.js') && name !== 'describe-child.js')
    const imports = chunks.flatMap(([, code]) => [
      ...Buffer.from(code)
        .toString()
        .matchAll(/\bfrom"([^"]+)"/g)
    ])
    expect(
      imports.map(([, name = '']) => name).filter((name) => builtinModules.includes(name.replace('node:', '')))
    ).toEqual([])
    expect(imports.length).toBeGreaterThan(chunks.length)
  })

  test('hold zod’s messages in English only', () => {
    const german = 'Zu klein: erwartet'
    expect(readFileSync(join(root, 'node_modules/zod/v4/locales/de.js'), 'utf8')).toContain(german)
    const code = [...readFiles(dist).values()].map((content) => Buffer.from(content).toString())
    expect(code.filter((text) => text.includes(german))).toEqual([])
  })

  test('hold neither undici nor octokit', () => {
    const licenses = readFileSync(join(dist, 'licenses.txt'), 'utf8')
    expect(licenses).toMatch(/^@actions\/artifact /m)
    expect(licenses).not.toMatch(/^(undici|@octokit\/.*) [\d.]+ /m)
  })
})

describe('a build', () => {
  const { path = process.execPath } = nodes().at(-1) ?? {}

  test('makes the same bytes each time, with whichever Node', () => {
    const again = join(scratch, 'again')
    const args = ['--import', 'tsx', 'scripts/build.ts', '--out', again, '--tolerate-type-errors']
    expect(spawnSync(path, args, { cwd: root, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
    expect(differences(readFiles(realpathSync(dist)), readFiles(again))).toEqual([])
  })
})

describe('the release tree', () => {
  const tree = join(scratch, 'tree')
  const read = (name: string) => readFileSync(join(tree, name), 'utf8')

  beforeAll(() => {
    const options = ['--out', tree, '--dist', dist, '--repository', 'acme/game-actions', '--source', 'abc']
    const args = ['--import', 'tsx', 'scripts/release-tree.ts', ...options]
    expect(spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
  })

  test('has each action at its root, runnable from there, and no sources', () => {
    const names = [...readFiles(tree).keys()]
    expect(names).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'deploy/action.yml', 'dist/licenses.txt']))
    expect(names.filter((name) => /\.ts$|^(src|test|scripts|actions|node_modules|\.github)\//.test(name))).toEqual([])
    expect(runMain('deploy')).toContain('::error title=deploy%3A wrong configuration::')
  })

  test('is an action itself, which the Marketplace takes', () => {
    expect(runMain('.')).toContain('::error title=deploy%3A wrong configuration::')
    // https://docs.github.com/actions/how-tos/create-and-publish-actions/publish-in-github-marketplace
    const { name, description, branding } = parse(read('action.yml'))
    expect(name).not.toBe('')
    expect(description.length).toBeLessThan(125)
    expect(branding).toEqual({ icon: expect.any(String), color: expect.any(String) })
  })

  test('names the repository that it is published in, and leads to what is in it', () => {
    const texts = [...readFiles(tree)].map(([name, content]) => [name, Buffer.from(content).toString()] as const)
    expect(texts.filter(([, text]) => text.includes('org/stdb-actions')).map(([name]) => name)).toEqual([])
    expect(read('README.md')).toContain('uses: acme/game-actions/deploy@v1')
    expect(read('README.md')).not.toContain('stands for whoever')
    const markdown = texts.filter(([name]) => name.endsWith('.md'))
    const dead = markdown.flatMap(([name, text]) =>
      [...text.matchAll(/\]\((?![a-z]+:|#)([^)\s#]+)/g)]
        .filter(([, target = '']) => !existsSync(join(tree, dirname(name), target)))
        .map(([, target]) => `${name}: ${target}`)
    )
    expect(dead).toEqual([])
  })

  test('says what is in it', () => {
    const listed = parse(read('sbom.cdx.json')).components.map(({ name }: { name: string }) => name)
    const shipped = [...read('dist/licenses.txt').matchAll(/^(\S+) [\d.]+ \(.*\)$/gm)].map(([, name]) => name)
    expect(listed).toEqual(shipped)
    expect(listed).toContain('ws')
  })

  test('has the digest of every other file', () => {
    const lines = read('SHA256SUMS').trimEnd().split('\n')
    expect(lines.map((line) => line.slice(66))).toEqual(
      [...readFiles(tree).keys()].filter((name) => name !== 'SHA256SUMS')
    )
    for (const line of lines) {
      const digest = createHash('sha256')
        .update(readFileSync(join(tree, line.slice(66))))
        .digest('hex')
      expect(`${digest}  ${line.slice(66)}`).toBe(line)
    }
  })

  function runMain(action: string): string {
    const { main } = parse(read(join(action, 'action.yml'))).runs
    return runStub(join(tree, action), main).stdout
  }
})

describe('the licence of a package', () => {
  test.each(['MIT', 'Apache-2.0', '(Apache-2.0 AND BSD-3-Clause)'])('may be %s', (license) => {
    expect(fits(license)).toBe(true)
  })

  test.each(['GPL-3.0-only', '(MIT AND GPL-3.0-only)', '(MIT OR GPL-3.0-only)', 'UNLICENSED', 'no licence', ''])(
    'may not be "%s"',
    (license) => {
      expect(fits(license)).toBe(false)
    }
  )
})

describe('a release', () => {
  const refused = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'scripts/release.ts', ...args], { cwd: root, encoding: 'utf8' })

  test.each([
    [['--repository', 'acme/actions'], 'Give --version'],
    [['--version', 'v1', '--repository', 'acme/actions'], 'Give --version'],
    [['--version', '1.0.0', '--repository', 'org/stdb-actions'], 'Give --repository'],
    [['--version', '999.0.0', '--repository', 'acme/actions'], 'CHANGELOG.md says nothing of 999.0.0']
  ])('is not made with %s', (args, message) => {
    expect(refused(...args)).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining(message) })
  })
})

describe('what differs between two builds', () => {
  test('is named file by file', () => {
    const files = (entries: Record<string, string>) =>
      new Map(Object.entries(entries).map(([name, text]) => [name, Buffer.from(text)]))
    const found = differences(files({ a: '1', b: '2', c: '3' }), files({ a: '1', b: 'x', d: '4' }))
    expect(found).toEqual(['b: is not what its sources make', 'c: is missing', 'd: should not be there'])
  })
})
