import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { root } from '../../scripts/repository.ts'
import { type GitHub, startGitHub, type WorkflowRun } from './github.ts'
import { LeakedSecret } from './secrets.ts'

/** Each step loads a client, perhaps on a machine with other work. */
jest.setTimeout(90_000)

const actions = mkdtempSync(join(tmpdir(), 'actions-'))
let github: GitHub

beforeAll(async () => {
  github = await startGitHub({ internet: {} })
})

afterAll(async () => {
  await github.close()
  rmSync(actions, { recursive: true, force: true })
})

const packages = {
  core: 'core/lib/core.js',
  cache: 'cache/lib/cache.js',
  artifact: 'artifact/lib/artifact.js',
  http: 'http-client/lib/index.js'
}

const packageUrl = (name: keyof typeof packages) =>
  pathToFileURL(join(root, 'node_modules/@actions', packages[name])).href

/** An action that has `core`, another package as `client` and its inputs `text` and `token` at hand; its name. */
function makeAction(name: string, code: string, client: keyof typeof packages = 'core'): string {
  mkdirSync(join(actions, name), { recursive: true })
  writeFileSync(
    join(actions, name, 'main.mjs'),
    `import * as core from '${packageUrl('core')}'
     import * as client from '${packageUrl(client)}'
     import fs from 'node:fs'
     import { execFileSync } from 'node:child_process'
     const text = core.getInput('text')
     const token = core.getInput('token')
     delete process.env.INPUT_TOKEN
     ${code}`
  )
  writeFileSync(
    join(actions, name, 'action.yml'),
    `inputs: { text: {}, token: { default: "\${{ github.token }}" } }\nruns: { using: node24, main: main.mjs }\n`
  )
  return name
}

/** The outputs of steps that run one after the other in a job of their own. */
async function outputsOf(run: WorkflowRun, ...steps: readonly { action: string; text?: string }[]) {
  const { job } = run.startJob({ actions })
  try {
    const outputs: Readonly<Record<string, string>>[] = []
    for (const { action, text = '' } of steps) {
      const step = await job.run({ action, inputs: { text: text || (outputs.at(-1)?.text ?? '') } })
      if (step.exitCode !== 0) throw new Error(step.lines.map((line) => line.text).join('\n'))
      outputs.push(step.outputs)
    }
    return outputs.at(-1) ?? {}
  } finally {
    job.end()
  }
}

const install = makeAction(
  'install',
  `fs.mkdirSync('bin')
   fs.writeFileSync('bin/shout', '#!/usr/bin/env node\\nconsole.log(process.argv[2].toUpperCase())', { mode: 0o755 })
   core.addPath(process.cwd() + '/bin')
   core.setOutput('text', text)`
)
const shout = makeAction('shout', `core.setOutput('text', execFileSync('shout', [text]).toString().trim())`)
const upload = makeAction(
  'upload',
  `fs.writeFileSync('file', text)
   const { id } = await new client.DefaultArtifactClient().uploadArtifact('text', ['file'], '.')
   core.setOutput('id', id)`,
  'artifact'
)
const download = makeAction(
  'download',
  `const artifact = new client.DefaultArtifactClient()
   const { artifact: { id } } = await artifact.getArtifact('text')
   await artifact.downloadArtifact(id, { path: 'got' })
   core.setOutput('text', fs.readFileSync('got/file', 'utf8'))`,
  'artifact'
)
const find = makeAction(
  'find',
  `const findBy = { token, workflowRunId: Number(text), repositoryOwner: 'octocat', repositoryName: 'game' }
   const found = await new client.DefaultArtifactClient().getArtifact('text', { findBy })
   core.setOutput('id', found.artifact.id)`,
  'artifact'
)

test('steps hand on outputs and programs, and jobs of a run artifacts', async () => {
  const run = github.startRun()
  const { id } = await outputsOf(run, { action: install, text: 'hello' }, { action: shout }, { action: upload })
  expect(await outputsOf(run, { action: download })).toEqual({ text: 'HELLO' })
  const other = github.startRun({ branch: 'fix', pullRequest: { number: 3 } })
  await expect(outputsOf(other, { action: download })).rejects.toThrow('Artifact not found')
  expect(await outputsOf(other, { action: find, text: String(run.id) })).toEqual({ id })
  expect(github.api.unexpected).toEqual([])
})

test("caches are a branch's own; a fork's pull request reads those of main and saves none", async () => {
  const save = makeAction(
    'save',
    `fs.mkdirSync('deps'); fs.writeFileSync('deps/file', text)
     core.setOutput('saved', await client.saveCache(['deps'], 'deps-' + text) > 0)`,
    'cache'
  )
  const restore = makeAction(
    'restore',
    `core.setOutput('hit', await client.restoreCache(['deps'], 'deps-x', ['deps-']) ?? 'none')`,
    'cache'
  )
  const branch = () => github.startRun({ branch: 'fix' })
  const fork = () => github.startRun({ branch: 'fix', pullRequest: { number: 4, fromFork: true } })
  expect(await outputsOf(github.startRun(), { action: save, text: 'main' })).toEqual({ saved: 'true' })
  expect(await outputsOf(branch(), { action: restore, text: 'x' })).toEqual({ hit: 'deps-main' })
  expect(await outputsOf(branch(), { action: save, text: 'fix' })).toEqual({ saved: 'true' })
  expect(await outputsOf(branch(), { action: restore, text: 'x' })).toEqual({ hit: 'deps-fix' })
  expect(await outputsOf(fork(), { action: save, text: 'fork' })).toEqual({ saved: 'false' })
  expect(await outputsOf(fork(), { action: restore, text: 'x' })).toEqual({ hit: 'deps-main' })
})

test('downloads go through the stand-in for the internet', async () => {
  const latest = makeAction(
    'latest',
    `const url = process.env.GITHUB_API_URL + '/repos/clockworklabs/SpacetimeDB/releases/latest'
     const headers = { authorization: 'Bearer ' + token }
     const { result } = await new client.HttpClient('test').getJson(url, headers)
     core.setOutput('tag', result.tag_name)`,
    'http'
  )
  expect(await outputsOf(github.startRun(), { action: latest, text: 'x' })).toEqual({ tag: 'v2.8.3' })
  const [request] = github.internet.requestsTo('api.github.com').slice(-1)
  expect(request).toMatchObject({ path: expect.stringMatching(/releases\/latest$/), status: 200 })
})

test("a job's token must not show up, and its runtime token not in the log", async () => {
  const run = github.startRun()
  await expect(outputsOf(run, { action: makeAction('tell', 'console.log(token)'), text: 'x' })).rejects.toThrow(
    LeakedSecret
  )
  const tellRuntime = makeAction('tell-runtime', 'console.log(process.env.ACTIONS_RUNTIME_TOKEN)')
  await expect(outputsOf(run, { action: tellRuntime, text: 'x' })).rejects.toThrow(LeakedSecret)
})
