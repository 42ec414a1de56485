import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { build } from 'esbuild'
import { leaveUnusedOut } from '../../scripts/bundle-plugins.ts'
import { root } from '../../scripts/repository.ts'
import { getOctokit } from '../../scripts/stand-ins/actions-github.ts'

const scratch = mkdtempSync(join(tmpdir(), 'bundle-plugins-'))

afterAll(() => rmSync(scratch, { recursive: true }))

test('what is left out of the bundle throws by its name when it is used after all', async () => {
  const contents = `import { ProxyAgent } from 'undici'
    import glob from 'readdir-glob'
    export const agent = () => new ProxyAgent()
    export const walk = () => glob('.')`
  const outfile = join(scratch, 'out.mjs')
  await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    plugins: [leaveUnusedOut]
  })
  const { agent, walk } = await import(pathToFileURL(outfile).href)
  expect(agent).toThrow('undici is not in the bundle')
  expect(walk).toThrow('readdir-glob is not in the bundle')
})

describe('where an artifact of another run lies', () => {
  const asked: unknown[] = []
  const server = createServer(({ method, url, headers: { authorization } }, response) => {
    asked.push({ method, url, authorization })
    if (url?.includes('/1/')) response.writeHead(302, { location: 'https://blobs.example/1?sig=2' }).end()
    else if (url?.includes('/2/')) {
      response.writeHead(410).end('{"message":"Artifact has expired","documentation_url":"https://docs.example"}')
    } else response.writeHead(502).end('Bad Gateway')
  })
  const request = (artifact_id: number) =>
    getOctokit('secret').rest.actions.downloadArtifact({ owner: 'octocat', repo: 'game', artifact_id })
  const before = process.env.GITHUB_API_URL

  beforeAll(async () => {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    process.env.GITHUB_API_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

  afterAll(() => {
    if (before === undefined) delete process.env.GITHUB_API_URL
    else process.env.GITHUB_API_URL = before
    server.closeAllConnections()
    server.close()
  })

  test('is told without going there', async () => {
    expect(await request(1)).toMatchObject({ status: 302, headers: { location: 'https://blobs.example/1?sig=2' } })
    const url = '/repos/octocat/game/actions/artifacts/1/zip'
    expect(asked).toEqual([{ method: 'GET', url, authorization: 'token secret' }])
  })

  test('is an error in GitHub’s words when it lies nowhere', async () => {
    await expect(request(2)).rejects.toThrow('Artifact has expired - https://docs.example')
    await expect(request(3)).rejects.toThrow('Bad Gateway')
  })

  test('is all that can be asked', () => {
    expect(() => getOctokit('secret', {})).toThrow('no octokit')
  })
})
