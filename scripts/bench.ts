import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { table } from '../src/markdown.ts'
import { describeModule } from '../src/module/describe.ts'
import { loadModule } from '../src/module/load.ts'
import { startServer } from '../test/embedded/server.ts'
import { loadHead, loadRows, soakHead, soakRow } from './bench/load.ts'
import { logScan } from './bench/log.ts'
import { promoteHead, promoteRow } from './bench/promote.ts'
import { judge, type Measurement, measurementOf, timed } from './measuring.ts'
import { root } from './repository.ts'

/**
 * `npm run bench`: how long the slow things take, against a baseline that is measured in turn with them, in the same
 * run and on the same machine. What the machine is doing besides slows both.
 */
const run = promisify(execFile)
const modules = join(root, 'test/fixtures/modules')
const rounds = 21
const warmUps = 2

const rows = [
  await compare(describing()),
  await compare(await schemas()),
  await compare(scanningLog()),
  await withDeploys(compare)
]
console.log(table(['what', 'median', 'baseline', 'median', 'ratio', 'beyond it', 'budget', ''], rows))
console.log(`\n${table(promoteHead, [await promoteRow()])}`)
console.log(`\n${table(loadHead, await loadRows())}`)
console.log(`\n${table(soakHead, [await soakRow()])}`)

type Comparison = {
  readonly what: string
  readonly work: () => Promise<unknown>
  readonly baseline: string
  readonly bare: () => Promise<unknown>
  /** In milliseconds, of all the work or of what it takes beyond the baseline. */
  readonly budget: { readonly of: 'all' | 'beyond'; readonly limit: number }
}

function describing(): Comparison {
  return {
    what: 'describe a module offline',
    work: async () => describeModule(await loadModule(join(modules, 'counter.wasm'))),
    baseline: "`node -e ''`",
    bare: () => run(process.execPath, ['-e', '']),
    budget: { of: 'all', limit: 100 }
  }
}

function scanningLog(): Comparison {
  const { scan, bytes } = logScan()
  return {
    what: 'scan 100,000 lines of a log',
    work: scan,
    baseline: 'read the bytes alone',
    bare: bytes,
    budget: { of: 'all', limit: 2000 }
  }
}

/** 500 tables, 2,000 columns and 1,000 reducers, each table and reducer changed. */
async function schemas(): Promise<Comparison> {
  const { diffSchemas, largeSchema } = await asBuilt()
  const before = largeSchema()
  const after = largeSchema({ edition: 1 })
  return {
    what: 'difference of two large schemas',
    work: async () => diffSchemas(before, after),
    baseline: 'copy them as JSON',
    bare: async () => JSON.parse(JSON.stringify([before, after], writable)),
    budget: { of: 'all', limit: 50 }
  }
}

/** As in the bundle: what runs TypeScript as it is also keeps every function's name, which takes as long again. */
async function asBuilt(): Promise<
  typeof import('../src/migration/diff.ts') & typeof import('../test/migration/large-schema.ts')
> {
  const contents = "export * from './src/migration/diff.ts'; export * from './test/migration/large-schema.ts'"
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const outfile = join(folder, 'diff.mjs')
  try {
    await build({ stdin: { contents, resolveDir: root }, bundle: true, platform: 'node', format: 'esm', outfile })
    return await import(outfile)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function writable(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

/** An update of a live database, back and forth between two modules: whole steps against three runs of curl. */
async function withDeploys<T>(use: (comparison: Comparison) => Promise<T>): Promise<T> {
  const server = await startServer()
  const token = await server.issueToken('bench')
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  try {
    const deploy = (database: string, module: string, more: Readonly<Record<string, string>> = {}) => {
      const inputs = { server: server.url, token, database, module: join(modules, module), ...more }
      return runDeploy(folder, { ...inputs, 'allow-breaking-clients': 'true' })
    }
    for (const database of ['by-action', 'by-curl']) await deploy(database, 'counter.wasm', { create: 'true' })
    const turn = { action: 0, curl: 0 }
    const next = (who: keyof typeof turn) => (turn[who]++ % 2 === 0 ? 'counter-reducer-param.wasm' : 'counter.wasm')
    return await use({
      what: 'deploy of an existing database',
      work: () => deploy('by-action', next('action')),
      baseline: 'curl: plan, publish, call',
      bare: () => curlDeploy(`${server.url}/v1/database/by-curl`, token, join(modules, next('curl'))),
      budget: { of: 'beyond', limit: 250 }
    })
  } finally {
    rmSync(folder, { recursive: true })
    await server.close()
  }
}

/** The committed bundle, as a step. Rejects when the step fails. */
function runDeploy(folder: string, inputs: Readonly<Record<string, string>>): Promise<unknown> {
  const variables = Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])
  const files = { RUNNER_TEMP: folder, GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STATE: join(folder, 'state') }
  for (const file of [files.GITHUB_OUTPUT, files.GITHUB_STATE]) writeFileSync(file, '')
  return run(process.execPath, [join(root, 'dist/deploy.js')], { env: { ...Object.fromEntries(variables), ...files } })
}

async function curlDeploy(database: string, token: string, module: string): Promise<void> {
  const authorization = `authorization: Bearer ${token}`
  const curl = async (...args: string[]) => (await run('curl', ['-sS', '--fail', '-H', authorization, ...args])).stdout
  const plan = JSON.parse(
    await curl('-X', 'POST', '--data-binary', `@${module}`, `${database}/pre_publish?style=NoColor`)
  )
  const query = `policy=BreakClients&token=${plan.AutoMigrate.token}`
  await curl('-X', 'PUT', '--data-binary', `@${module}`, `${database}?${query}`)
  await curl('-H', 'content-type: application/json', '-d', '[]', `${database}/call/health_check`)
}

/** Measures the two in turn, and makes a row of it. */
async function compare({ what, work, baseline, bare, budget }: Comparison): Promise<string[]> {
  const samples: { work: number; bare: number }[] = []
  for (let round = -warmUps; round < rounds; round++) {
    const sample = { bare: await timed(bare), work: await timed(work) }
    if (round >= 0) samples.push(sample)
  }
  const worked = measurementOf(samples.map((sample) => sample.work))
  const bared = measurementOf(samples.map((sample) => sample.bare))
  const ratio = measurementOf(samples.map((sample) => sample.work / sample.bare))
  const beyond = measurementOf(samples.map((sample) => sample.work - sample.bare))
  const judged = judge(budget.of === 'all' ? worked : beyond, budget.limit)
  const limit = budget.of === 'all' ? `${budget.limit} ms` : `${budget.limit} ms beyond`
  return [what, text(worked), baseline, text(bared), ratio.median.toFixed(2), text(beyond), limit, judged]
}

function text({ median, lower, upper }: Measurement): string {
  return `${median.toFixed(1)} ms (${lower.toFixed(1)}–${upper.toFixed(1)})`
}
