import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { fixtureModule } from '../fixtures.ts'
import { nodes } from './node24.ts'
import { Job } from './runner.ts'
import { dist, hashOf, startStage } from './stage.ts'

const root = resolve(import.meta.dirname, '../..')
const tree = mkdtempSync(join(tmpdir(), 'release-'))
const stage = await startStage()

beforeAll(() => {
  const script = join(root, 'scripts/release-tree.ts')
  execFileSync(process.execPath, ['--import', 'tsx', script, '--out', tree, '--dist', dist], { cwd: root })
})

afterAll(async () => {
  rmSync(tree, { recursive: true, force: true })
  await stage.server.close()
})

/** What `uses: org/stdb-actions/deploy@v1` gets: the tree is all there is, with nothing installed. */
describe.each(nodes())('deploy from a release tree on $title', ({ path }) => {
  if (path === undefined) return void test.skip('is not there', () => {})

  test('finds its script and deploys', async () => {
    const database = stage.newDatabase()
    const job = new Job({ actions: tree, node: path, secrets: () => [...stage.secrets] })
    writeFileSync(join(job.workspace, 'game.wasm'), fixtureModule('counter.wasm'))
    const inputs = { server: stage.server.url, database, module: 'game.wasm', token: stage.token, create: 'true' }
    const main = await job.run({ action: 'deploy', inputs })
    const [post] = await job.post()
    job.end()
    expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'created' } })
    expect(post?.exitCode).toBe(0)
    expect(await stage.liveHash(database)).toBe(hashOf('counter'))
  })
})

test('a release tree has no sources', () => {
  const files = readdirSync(tree, { recursive: true, encoding: 'utf8' })
  expect(files.filter((file) => file.endsWith('.ts') || file.includes('node_modules'))).toEqual([])
})

test('a release tree has what images are built with, beside the bundle', () => {
  expect(readdirSync(join(tree, 'docker')).sort()).toEqual(['Dockerfile', 'Dockerfile.dockerignore', 'entrypoint.sh'])
})
