import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse, parseDocument } from 'yaml'
import { actionSpecs } from '../../scripts/repository.ts'
import { workflowAround, yamlBlocks } from '../../scripts/workflow-documents.ts'
import { parseSeed } from '../../src/rehearsal/seed-file.ts'
import { parseChecks } from '../../src/smoke/checks-file.ts'
import { parseSteps } from '../../src/steps/steps-file.ts'
import { type EmbeddedServer, startServer } from '../embedded/server.ts'
import { fixtureModule } from '../fixtures.ts'
import { allPages, codeOf, root } from './pages.ts'

const pages = allPages()
const packageJson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
const inputs = new Set((await actionSpecs()).flatMap((spec) => Object.keys(spec.inputs)))

describe('YAML on pages', () => {
  const blocks = pages.flatMap(({ path, text }) =>
    yamlBlocks(text).map(({ text: yaml, linesBefore }) => ({ where: `${path}:${linesBefore}`, yaml }))
  )

  test('is found, that in lists too', () => {
    expect(blocks.length).toBeGreaterThan(50)
    const found = pages.flatMap((page) => codeOf(page, 'yaml', 'yml'))
    expect(blocks.map(({ yaml }) => yaml.trimEnd())).toEqual(found.map((yaml) => yaml.trimEnd()))
  })

  test.each(blocks)('at $where is right', ({ yaml }) => {
    expect(parseDocument(yaml).errors).toEqual([])
    expect(kindOf(yaml)).not.toBe('unknown')
  })

  test.each([
    ['- uses: a/b@v1', 'workflow'],
    ['permissions: {}', 'workflow'],
    ['checks:\n  - ping: true', 'checks'],
    ['server: local\nsoak: 5m', 'inputs'],
    ['stages: [plan, release]', 'another CI'],
    ['sever: local', 'unknown'],
    ['- a\n- b', 'unknown']
  ])('%j is %s', (yaml, kind) => {
    expect(kindOf(yaml)).toBe(kind)
  })

  test.each(['checks:\n  - cal: health_check', 'steps:\n  - call: 1', 'seed: []'])('%j is wrong', (yaml) => {
    expect(() => kindOf(yaml)).toThrow()
  })
})

/** What YAML is for; files of ours are read by their own parsers, workflows by scripts/check-workflows.ts. */
function kindOf(yaml: string): string {
  if (workflowAround(yaml) !== undefined) return 'workflow'
  const content: unknown = parse(yaml)
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return 'unknown'
  // test/runner/other-ci.test.ts runs what these say.
  if ('stages' in content || ('version' in content && 'jobs' in content)) return 'another CI'
  const bytes = new TextEncoder().encode(yaml)
  if ('checks' in content) return parseChecks(bytes, 'shown.yml') && 'checks'
  if ('steps' in content) return parseSteps(bytes, 'shown.yml') && 'steps'
  if ('seed' in content) return parseSeed(bytes, 'shown.yml') && 'seed'
  return Object.keys(content).every((name) => inputs.has(name)) ? 'inputs' : 'unknown'
}

describe('JSON on pages', () => {
  const blocks = pages.flatMap((page) => codeOf(page, 'json').map((json) => ({ path: page.path, json })))

  test.each(blocks)('of $path is JSON', ({ json }) => {
    expect(() => JSON.parse(json)).not.toThrow()
  })
})

describe('commands on pages', () => {
  const blocks = pages.flatMap((page) => codeOf(page, 'sh', 'bash').map((shell) => ({ path: page.path, shell })))
  const lines = blocks.flatMap(({ path, shell }) =>
    shell
      .replace(/\\\n/g, ' ')
      .split('\n')
      .map((line) => ({ path, line: line.trim() }))
  )
  let server: EmbeddedServer

  beforeAll(async () => {
    server = await startServer()
    const headers = { authorization: `Bearer ${await server.issueToken('reader')}` }
    const body = fixtureModule('counter.wasm')
    const published = await fetch(`${server.url}/v1/database/my-game`, { method: 'PUT', headers, body })
    expect(published.status).toBe(200)
  })

  afterAll(() => server.close())

  test.each(blocks)('of $path are what a shell understands', ({ shell }) => {
    expect(spawnSync('bash', ['-n'], { input: shell, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
  })

  const asked = lines.filter(({ line }) => /^curl .*https:\/\/stdb\.example\.org/.test(line))

  test('of curl are among them', () => {
    expect(asked.length).toBeGreaterThan(2)
  })

  test.each(asked)('$line ($path) gets an answer', async ({ line }) => {
    const { code, stdout, stderr } = await run(
      line.replaceAll('https://stdb.example.org', server.url).replace('curl', 'curl --fail')
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    if (line.includes('/my-game')) expect(stdout).toContain('0x')
  })

  const npm = lines.flatMap(({ path, line }) =>
    [...line.matchAll(/npm run ([\w:-]+)/g)].map(([, script = '']) => ({ path, script }))
  )

  // They are run by .ci/run, or take too long: here it is only seen that they are there.
  test.each(npm)('npm run $script ($path) is there', ({ script }) => {
    expect(Object.keys(packageJson.scripts)).toContain(script)
  })
})

/** Runs a line in a shell, and lets this process answer meanwhile. */
function run(line: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const said = { stdout: '', stderr: '' }
    const child = spawn('bash', ['-c', line], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 })
    child.stdout.on('data', (chunk) => {
      said.stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      said.stderr += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...said }))
  })
}
