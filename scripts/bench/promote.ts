import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { loadModule } from '../../src/module/load.ts'
import { connect } from '../../src/spacetimedb/client.ts'
import { tokenCredential } from '../../src/spacetimedb/credential.ts'
import { fixturePath } from '../../test/fixtures.ts'
import { judge, measurementOf, timed } from '../measuring.ts'
import { root } from '../repository.ts'
import { type BenchServer, startBenchServer } from './bench-server.ts'

const count = 200
/** Of 200 databases against one. */
const limit = 20
const rounds = 5
const warmUps = 1

export const promoteHead = ['what', 'median', 'one database', 'ratio', 'budget', '']

/** Promotes back and forth between two modules, in whole steps: to 200 databases and to one, in turn. */
export async function promoteRow(): Promise<string[]> {
  const server = await startBenchServer()
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  try {
    const databases = await fill(server)
    const samples: { all: number; one: number }[] = []
    for (let round = -warmUps; round < rounds; round++) {
      const from = round % 2 === 0 ? 'even' : 'odd'
      const one = await timed(() => promote(server, from, ['alone'], folder))
      const all = await timed(() => promote(server, from, databases, folder))
      if (round >= 0) samples.push({ all, one })
    }
    const [all, one] = [measurementOf(samples.map((each) => each.all)), measurementOf(samples.map((each) => each.one))]
    const ratio = measurementOf(samples.map((each) => each.all / each.one))
    const shown = `${ratio.median.toFixed(1)} (${ratio.lower.toFixed(1)}–${ratio.upper.toFixed(1)})`
    const [allText, oneText] = [all, one].map(({ median }) => `${median.toFixed(0)} ms`)
    return [`promote to ${count} databases`, allText ?? '', oneText ?? '', shown, `${limit} times`, judge(ratio, limit)]
  } finally {
    rmSync(folder, { recursive: true })
    await server.stop()
  }
}

/** Publishes the two modules to promote from, and the first of them to all databases. Answers the names of the 200. */
async function fill({ url, token }: BenchServer): Promise<string[]> {
  const owner = connect({ url, credential: tokenCredential(token) })
  const [odd, even] = await Promise.all(
    ['counter', 'counter-reducer-param'].map((name) => loadModule(fixturePath(`modules/${name}.wasm`)))
  )
  if (odd === undefined || even === undefined) throw new Error('the modules are not there')
  const databases = Array.from({ length: count }, (_, index) => `game-${index}`)
  await owner.publishFirst('even', even)
  for (const database of ['odd', 'alone', ...databases]) await owner.publishFirst(database, odd)
  return databases
}

/** The committed bundle, as a step. Rejects when the step fails. */
function promote(
  { url, token }: BenchServer,
  from: string,
  databases: readonly string[],
  folder: string
): Promise<unknown> {
  const inputs = {
    server: url,
    token,
    'from-database': from,
    databases: databases.join(' '),
    'allow-unchecked': 'true',
    'allow-breaking-clients': 'true',
    ledger: 'none'
  }
  const variables = Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])
  const files = { RUNNER_TEMP: folder, GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STATE: join(folder, 'state') }
  for (const file of [files.GITHUB_OUTPUT, files.GITHUB_STATE]) writeFileSync(file, '')
  const options = { env: { ...Object.fromEntries(variables), ...files }, maxBuffer: 64 << 20 }
  return promisify(execFile)(process.execPath, [join(root, 'dist/promote.js')], options)
}
