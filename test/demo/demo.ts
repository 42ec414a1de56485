import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashModule, moduleHashFromU256 } from '../../src/module/hash.ts'
import { type EmbeddedServer, startServer } from '../embedded/server.ts'
import { fixtureModule } from '../fixtures.ts'
import { Job, type StepResult } from '../runner/runner.ts'
import { type Scene, scenes } from './scenes.ts'
import { coloured, type Paint, plain, renderMarkdown } from './terminal-markdown.ts'

/**
 * `npm run demo`: deploys real compiled modules, one after the other, to a server that runs their code, by running
 * the built action as GitHub's runner does. Ends with exit code 1 when a deploy ends otherwise than it must.
 */
const database = 'my-game'
const paint: Paint = process.stdout.isTTY && !process.env.NO_COLOR ? coloured : plain
const columns = Math.min(process.stdout.columns || 110, 120)

const startedAt = performance.now()
const server = await startServer()
const token = await server.issueToken('demo')
try {
  introduce(server)
  const failures: string[] = []
  for (const [number, scene] of scenes.entries()) failures.push(...(await play(scene, number + 1)))
  conclude(failures)
} finally {
  await server.close()
}

/** Deploys, shows how it went, and returns what was not as it must be. */
async function play(scene: Scene, number: number): Promise<string[]> {
  announce(scene, number)
  const job = new Job({ secrets: () => [token] })
  try {
    writeFileSync(join(job.workspace, `${scene.module}.wasm`), fixtureModule(`${scene.module}.wasm`))
    const step = await job.run({ action: 'deploy', inputs: { ...inputsOf(scene), token } })
    await job.post()
    show(step)
    const failures = differences(scene, step, await liveHash())
    if (failures.length > 0) say(`What the step printed:\n${step.log}`)
    for (const failure of failures) say(paint('red', `✗ ${failure}`))
    if (failures.length === 0) say(paint('green', `✓ ${scene.expected.result}, as it must be: ${verdictOf(scene)}`))
    return failures
  } finally {
    job.end()
  }
}

function introduce({ url }: EmbeddedServer): void {
  say(paint('bold', 'One database, six deploys.'))
  say(`A server for tests runs at ${url}: it speaks SpacetimeDB's HTTP API and runs the modules' own code.`)
  say('Each deploy is one step of a GitHub workflow, run as the runner does; what follows it is its job summary.')
}

function announce(scene: Scene, number: number): void {
  say(`\n${paint('dim', '━'.repeat(columns))}`)
  say(paint('bold', `${number}. ${scene.title}`))
  say(renderMarkdown(scene.story, { paint, columns }))
  const inputs = { ...inputsOf(scene), token: `\${{ secrets.SPACETIMEDB_TOKEN }}` }
  const lines = Object.entries(inputs).map(([name, value]) => `    ${name}: ${value}`)
  say(paint('cyan', ['', '- uses: ./actions/deploy', '  with:', ...lines, ''].join('\n')))
}

function show(step: StepResult): void {
  for (const { level, title, message } of step.annotations) {
    const style = level === 'error' ? 'red' : 'yellow'
    say(renderMarkdown(`${paint(style, `${level}: ${title ?? ''}`)}\n${message}\n`, { paint, columns }))
  }
  const summary = renderMarkdown(step.summary, { paint, columns: columns - 4 })
  say(summary.replace(/^/gm, paint('dim', '▏ ')))
  say('')
  say(paint('dim', `The step took ${Math.round(step.duration)} ms and ended with exit code ${step.exitCode}.`))
}

function conclude(failures: readonly string[]): void {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  say(`\n${paint('dim', '━'.repeat(columns))}`)
  if (failures.length > 0) process.exitCode = 1
  const how =
    failures.length === 0 ? 'Every deploy ended as it must' : `${failures.length} things were not as they must be`
  say(paint(failures.length === 0 ? 'green' : 'red', `${how} (${seconds} s).`))
}

function inputsOf({ module, inputs }: Scene): Record<string, string> {
  return { server: server.url, database, module: `${module}.wasm`, ...inputs }
}

function differences({ expected }: Scene, step: StepResult, live: string): string[] {
  const { result } = step.outputs
  return [
    result === expected.result ? [] : [`the result is ${result ?? 'not there'}, not ${expected.result}`],
    step.exitCode === expected.exitCode ? [] : [`the exit code is ${step.exitCode}, not ${expected.exitCode}`],
    live === hashModule(fixtureModule(`${expected.live}.wasm`)) ? [] : [`the server does not serve ${expected.live}`]
  ].flat()
}

function verdictOf({ expected }: Scene): string {
  return `the job ${expected.exitCode === 0 ? 'passes' : 'fails'}, and the server serves ${expected.live}.`
}

/** Asked directly, not through anything that the action is made of. */
async function liveHash(): Promise<string> {
  const answer = await fetch(`${server.url}/v1/database/${database}/sql`, {
    method: 'POST',
    body: 'SELECT program_hash FROM st_module'
  })
  const hash = /0x[0-9a-f]+/i.exec(await answer.text())?.[0]
  return hash === undefined ? 'nothing' : moduleHashFromU256(hash)
}

function say(text: string): void {
  console.log(text)
}
