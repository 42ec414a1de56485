import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { buildSync } from 'esbuild'

const root = resolve(import.meta.dirname, '../..')

export type StepRun = {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  /** What was written to the files of the runner. */
  readonly output: string
  readonly state: string
  readonly summary: string
  /** The workflow commands in the order in which they were printed, with their text unescaped. */
  readonly commands: readonly { readonly name: string; readonly properties: string; readonly text: string }[]
}

export type StepOptions = {
  readonly env?: Readonly<Record<string, string>>
  /** Sent when the step prints `ready`. */
  readonly signal?: NodeJS.Signals
}

/** Runs JavaScript in a process of its own as a step of a job, with what src/action exports at hand. */
export async function runStep(body: string, { env = {}, signal }: StepOptions = {}): Promise<StepRun> {
  mkdirSync(join(root, 'build'), { recursive: true })
  const folder = mkdtempSync(join(root, 'build', 'step-'))
  const file = (name: string) => join(folder, name)
  try {
    const files = { GITHUB_OUTPUT: file('output'), GITHUB_STATE: file('state'), GITHUB_STEP_SUMMARY: file('summary') }
    for (const path of Object.values(files)) writeFileSync(path, '')
    writeFileSync(file('step.mjs'), `import { ${names.join(', ')} } from '../${library()}'\n${body}\n`)
    const child = spawn(process.execPath, [file('step.mjs')], {
      cwd: root,
      env: { PATH: process.env.PATH ?? '', TMPDIR: tmpdir(), GITHUB_ACTIONS: 'true', ...files, ...env }
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      if (signal && text.includes('ready')) child.kill(signal)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const exitCode = await new Promise<number | null>((done) => child.on('close', done))
    const written = { output: read(file('output')), state: read(file('state')), summary: read(file('summary')) }
    return { exitCode, stdout, stderr, ...written, commands: commandsIn(stdout) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const exported: Readonly<Record<string, readonly string[]>> = {
  'action/annotations.ts': ['annotate', 'annotateFailure', 'warn'],
  'action/input-types.ts': ['text', 'flag', 'choice'],
  'action/log.ts': ['log'],
  'action/masking.ts': ['maskSecretInputs'],
  'action/oidc.ts': ['requestIdToken'],
  'action/run.ts': ['runAction', 'runPost'],
  'action/spec.ts': ['defineAction'],
  'action/state.ts': ['defineState'],
  'action/summary.ts': ['writeSummary'],
  'errors.ts': ['ConfigurationError'],
  'spacetimedb/server.ts': ['ServerFailure']
}
const names = Object.values(exported).flat()
let made: string | undefined

/** The sources as one file of JavaScript in `build`, made once. */
function library(): string {
  if (made) return made
  const name = `action-${process.pid}.mjs`
  const exports = Object.entries(exported).map(([file, each]) => `export { ${each.join(', ')} } from './src/${file}'`)
  buildSync({
    stdin: { contents: exports.join('\n'), resolveDir: root },
    outfile: join(root, 'build', name),
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external'
  })
  made = name
  return name
}

/** To be called when all steps have run. */
export function removeLibrary(): void {
  if (made) rmSync(join(root, 'build', made))
  made = undefined
}

function read(path: string): string {
  return readFileSync(path, 'utf8')
}

function commandsIn(stdout: string): StepRun['commands'] {
  const found = stdout.matchAll(/^::([a-z-]+)(?: (.*?))?::(.*)$/gm)
  return [...found].map(([, name = '', properties = '', text = '']) => ({ name, properties, text: unescaped(text) }))
}

function unescaped(text: string): string {
  return text.replaceAll('%0A', '\n').replaceAll('%0D', '\r').replaceAll('%25', '%')
}
