import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { advisoriesAbout, answerOf } from '../../scripts/release/advisories.ts'

const root = resolve(import.meta.dirname, '../..')
const dist = join(root, 'build/dist')

/** Runs the check with npm itself, which asks a registry that knows one hole, in all versions of a package. */
async function checkWith(affected: string | undefined, ...more: string[]) {
  const server = createServer(async (request, response) => {
    request.resume()
    await once(request, 'end')
    const known = {
      [affected ?? '']: [
        { id: 1, url: 'https://example.org/1', title: 'A hole', severity: 'high', vulnerable_versions: '>=0.0.1' }
      ]
    }
    const asksForAdvisories = request.url === '/-/npm/v1/security/advisories/bulk' && affected !== undefined
    response.writeHead(asksForAdvisories ? 200 : 404, { 'content-type': 'application/json' })
    response.end(asksForAdvisories ? JSON.stringify(known) : '{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const env = { ...process.env, npm_config_registry: `http://127.0.0.1:${port}/`, npm_config_loglevel: 'silent' }
  const args = ['--import', 'tsx', 'scripts/check-advisories.ts', '--dist', dist, ...more]
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const printed = Promise.all(
    [child.stdout, child.stderr].map(async (stream) => Buffer.concat(await stream.toArray()).toString())
  )
  const [status] = await once(child, 'close')
  server.closeAllConnections()
  server.close()
  const [stdout, stderr] = await printed
  return { status, stdout, stderr }
}

describe('the check for known vulnerabilities', () => {
  test('fails on a package in the bundle', async () => {
    expect(await checkWith('ws')).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^ws@8\.[\d.]+: A hole \(.*https:\/\/example\.org\/1\)\n$/)
    })
  }, 60_000)

  test('passes on a tool that is not', async () => {
    const { status, stdout, stderr } = await checkWith('jest')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^Nothing is known against any of the \d+ packages in the bundle\.\n$/)
  }, 60_000)

  test.each([
    { more: [], status: 0 },
    { more: ['--required'], status: 1 }
  ])(
    'says that it could not ask, and ends with $status for $more',
    async ({ more, status }) => {
      expect(await checkWith(undefined, ...more)).toEqual({
        status,
        stdout: '',
        stderr: expect.stringMatching(/^NOT CHECKED: .*404/)
      })
    },
    60_000
  )
})

describe('advisories about a bundle', () => {
  const hole = { title: 'A hole', url: 'https://example.org/1', range: '<2' }
  const locked = { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b/node_modules/a': { version: '2.0.0' } }
  const about = (via: readonly (string | typeof hole)[], nodes = ['node_modules/a']) =>
    advisoriesAbout(
      [{ name: 'a', version: '1.0.0', license: 'MIT' }],
      { vulnerabilities: { a: { via, nodes } } },
      locked
    )

  test('name package and version', () => {
    expect(about([hole])).toEqual(['a@1.0.0: A hole (<2; https://example.org/1)'])
  })

  test('are not those about a version that is not in it', () => {
    expect(about([hole], ['node_modules/b/node_modules/a'])).toEqual([])
  })

  test('are not those about what a package depends on, which has its own', () => {
    expect(about(['b'])).toEqual([])
  })
})

describe('what npm prints', () => {
  test.each([
    ['{"vulnerabilities":{}}', 'report'],
    ['{"message":"405 Method Not Allowed"}', 'unknown'],
    ['', 'unknown'],
    ['npm error', 'unknown'],
    ['null', 'unknown']
  ])('is an answer or none: %s', (printed, kind) => {
    expect(answerOf(printed).kind).toBe(kind)
  })
})
