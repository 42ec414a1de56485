import { execFileSync, spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { markdownTable } from 'markdown-table'
import { describeModule } from '../src/module/describe.ts'
import { loadModule } from '../src/module/load.ts'
import { node24 } from '../test/runner/node24.ts'
import { judge, type Measurement, measurementOf, timed } from './measuring.ts'
import { releaseSize, sizeBudget } from './release/size.ts'
import { root } from './repository.ts'

/**
 * What the project promises to cost its users. Sizes are exact, so that one over its budget fails; times are those of
 * this machine, printed with their noise (half of the runs lay in it) for a person to judge.
 */
const runs = 15
const moduleFile = join(root, 'test/fixtures/modules/counter.wasm')

/** Nobody checks it before the first request is there. */
const unsignedToken = [{ alg: 'none' }, { iss: 'localhost', sub: 'budgets' }, {}]
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .join('.')

const size = await releaseSize(join(root, 'dist'))
const rows = [
  [
    'release tree, as `git archive | gzip -6`',
    kilobytes(size),
    '',
    kilobytes(sizeBudget),
    size <= sizeBudget ? 'met' : 'OVER'
  ]
]
for (const node of new Set([process.execPath, node24() ?? process.execPath])) {
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  const { bare, start, difference } = await startUp(node)
  rows.push([`Node ${version}: bare \`node -e ''\``, ...timeCells(bare), '', ''])
  rows.push([`Node ${version}: deploy to its first request`, ...timeCells(start), '', ''])
  rows.push([`Node ${version}: deploy beyond bare`, ...timeCells(difference), '90 ms', judge(difference, 90)])
}
const describing = await describeTime()
rows.push(['describe a module offline', ...timeCells(describing), '100 ms', judge(describing, 100)])

console.log(markdownTable([['what', 'median', 'noise', 'budget', ''], ...rows]))
if (size > sizeBudget) process.exitCode = 1

/** Each run of the action is paired with a bare one right before it, so that what slows the machine slows both. */
async function startUp(node: string): Promise<Record<'bare' | 'start' | 'difference', Measurement>> {
  const pairs: { readonly bare: number; readonly start: number }[] = []
  for (let run = 0; run < runs; run += 1) {
    pairs.push({ bare: await timed(() => runBare(node)), start: await timed(() => untilFirstRequest(node)) })
  }
  return {
    bare: measurementOf(pairs.map(({ bare }) => bare)),
    start: measurementOf(pairs.map(({ start }) => start)),
    difference: measurementOf(pairs.map(({ bare, start }) => start - bare))
  }
}

function runBare(node: string): Promise<void> {
  return new Promise((done) => spawn(node, ['-e', '']).on('close', () => done()))
}

/** Starts the built `deploy` against a server that is gone as soon as it was asked anything. */
async function untilFirstRequest(node: string): Promise<void> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const child = spawn(node, [join(root, 'dist/deploy.js')], {
    env: {
      RUNNER_TEMP: tmpdir(),
      INPUT_SERVER: `http://127.0.0.1:${port}`,
      INPUT_DATABASE: 'counter',
      INPUT_MODULE: moduleFile,
      INPUT_TOKEN: unsignedToken
    }
  })
  const ended = new Promise((done) => child.on('close', done))
  const asked = new Promise((done) => server.on('request', done))
  const first = await Promise.race([asked.then(() => 'asked'), ended.then(() => 'ended')])
  child.kill('SIGKILL')
  server.closeAllConnections()
  server.close()
  if (first === 'ended') throw new Error('deploy ended without a request')
}

async function describeTime(): Promise<Measurement> {
  const module = await loadModule(moduleFile)
  const samples: number[] = []
  for (let run = 0; run < runs; run += 1) samples.push(await timed(() => describeModule(module)))
  return measurementOf(samples)
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1_000)} kB`
}

function timeCells({ median, lower, upper }: Measurement): [string, string] {
  return [`${Math.round(median)} ms`, `${Math.round(lower)}–${Math.round(upper)} ms`]
}
