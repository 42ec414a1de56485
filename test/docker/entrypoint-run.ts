import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root } from '../../scripts/repository.ts'
import { fixtureModule } from '../fixtures.ts'
import { installPrograms } from '../stand-ins/archives.ts'
import { freePort } from './free-port.ts'
import { must, run } from './running.ts'

export const entrypoint = join(root, 'docker/entrypoint.sh')

/** A run of the entrypoint as in a container: its own server, on the folder that is its volume. */
export type Container = {
  readonly url: string
  /** What it and its server have said so far. */
  readonly log: () => string
  /** Waits for a line that matches; throws with the log when it ends before. */
  says(pattern: RegExp): Promise<string>
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number | null>
  stop(signal?: NodeJS.Signals): Promise<number | null>
  /** Kills the server under it. */
  killServer(): Promise<void>
  /** What the image's health check says. */
  health(): Promise<{ readonly exitCode: number | undefined; readonly stdout: string }>
}

const folder = mkdtempSync(join(tmpdir(), 'entrypoint-'))
const started: ChildProcess[] = []
export const programs = join(folder, 'programs')

export async function install(): Promise<void> {
  await installPrograms(programs, '2.8.3')
}

/** The programs of a server, with one of them a script instead, which finds the programs themselves at $programs. */
export function programsWith(name: 'spacetimedb-cli' | 'spacetimedb-standalone', script: string): string {
  const path = newFolder()
  for (const each of ['spacetimedb-cli', 'spacetimedb-standalone']) {
    if (each !== name) symlinkSync(join(programs, each), join(path, each))
  }
  writeFileSync(join(path, name), `#!/bin/sh\nprograms='${programs}'\n${script}\n`, { mode: 0o755 })
  return path
}

/** Ends what still runs, with its servers, and removes all files. */
export async function cleanUp(): Promise<void> {
  for (const child of started) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  rmSync(folder, { recursive: true, force: true })
}

let count = 0

/** A new folder; with the content of another one. */
export function newFolder(from?: string): string {
  const path = join(folder, `${++count}`)
  mkdirSync(path)
  if (from !== undefined) cpSync(from, path, { recursive: true })
  return path
}

/** The folder of an image's module: a fixture's, or of other bytes. */
export function imageWith(module: string | Uint8Array): string {
  const path = newFolder()
  writeFileSync(join(path, 'module.wasm'), typeof module === 'string' ? fixtureModule(module) : module)
  return path
}

export type Image = { readonly module: string; readonly volume: string; readonly environment?: Record<string, string> }

/** Starts the entrypoint by `sh`, as an image does. */
export async function start(image: Image, ...args: string[]): Promise<Container> {
  const address = `127.0.0.1:${await freePort()}`
  const environment = {
    PATH: process.env.PATH,
    TMPDIR: folder,
    NODE_COMPILE_CACHE: join(folder, 'compiled'),
    SPACETIMEDB_PROGRAM_DIR: programs,
    SPACETIMEDB_MODULE_DIR: image.module,
    SPACETIMEDB_DATA_DIR: image.volume,
    SPACETIMEDB_LISTEN_ADDR: address,
    SPACETIMEDB_DATABASE: 'game',
    ...image.environment
  }
  const child = spawn('sh', [entrypoint, ...args], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  started.push(child)
  const lines = new Lines(child)
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return {
    url: `http://${address}`,
    log: () => lines.text,
    says: (pattern) => lines.next(pattern),
    ended,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return ended
    },
    killServer: async () => {
      const [pid] = (await must('pgrep', ['-P', `${child.pid}`, '-f', 'spacetimedb-standalone'])).split('\n')
      process.kill(Number(pid), 'SIGKILL')
    },
    health: () => run('sh', [entrypoint, 'health'], { environment })
  }
}

/** Both streams of a process, by lines. */
class Lines {
  text = ''
  #isOver = false
  readonly #waiting = new Set<() => void>()

  constructor({ stdout, stderr }: ChildProcess) {
    const streams = [stdout, stderr].flatMap((stream) => (stream === null ? [] : [createInterface({ input: stream })]))
    for (const stream of streams) stream.on('line', (line) => this.#tell(`${line}\n`))
    void Promise.all(streams.map((stream) => once(stream, 'close'))).then(() => {
      this.#isOver = true
      this.#tell('')
    })
  }

  async next(pattern: RegExp): Promise<string> {
    for (;;) {
      const line = this.text.split('\n').find((each) => pattern.test(each))
      if (line !== undefined) return line
      if (this.#isOver) throw new Error(`it ended and did not say ${pattern}:\n${this.text}`)
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  #tell(text: string): void {
    this.text += text
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
