import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { differences, readFiles } from '../../scripts/files.ts'
import { actionSpecs } from '../../scripts/repository.ts'
import { nodes } from '../runner/node24.ts'

const root = resolve(import.meta.dirname, '../..')
const dist = join(root, 'build/dist')
const scratch = mkdtempSync(join(tmpdir(), 'dist-'))

afterAll(() => rmSync(scratch, { recursive: true }))

function runStub(folder: string, stub: string, node = process.execPath) {
  return spawnSync(node, [join(folder, stub)], { encoding: 'utf8', env: { GITHUB_OUTPUT: '' }, cwd: scratch })
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

  test('has each action at its root, runnable from there, and no sources', () => {
    const args = ['--import', 'tsx', 'scripts/release-tree.ts', '--out', tree, '--dist', dist]
    expect(spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })).toMatchObject({ status: 0 })

    const names = [...readFiles(tree).keys()]
    expect(names).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'deploy/action.yml', 'dist/licenses.txt']))
    expect(names.filter((name) => /\.ts$|^(src|test|scripts|actions|node_modules)\//.test(name))).toEqual([])
    const main = /main: (.*)/.exec(readFileSync(join(tree, 'deploy/action.yml'), 'utf8'))?.[1] ?? ''
    expect(runStub(join(tree, 'deploy'), main).stdout).toContain('::error title=deploy%3A wrong configuration::')
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
