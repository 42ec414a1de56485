import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { connect, createIdentity, type NewIdentity } from '../spacetimedb/client.ts'
import { keepSecrets } from '../spacetimedb/secrets.ts'
import type { Environment } from './environment.ts'
import { insistOnGoing, SetupFailure } from './failure.ts'
import { processOf, type ServerProcess, stopProcess } from './server-process.ts'

export type LocalServerOptions = {
  /** `spacetimedb-standalone`: a path. */
  readonly program: string
  /** For its data, keys and log. Made when missing. */
  readonly folder: string
  /** All that the server gets. */
  readonly environment: Environment
  readonly clock: Clock
  /** Given the token before anything else is done with it: mask it. */
  readonly onSecret: (secret: string) => void
  /** Told as soon as there is a process, before it answers: what happens afterwards, this is what has to be ended. */
  readonly onStarted: (process: ServerProcess) => void
  /** Ends the wait, and the server. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds until it has to answer; 60 s when left out. */
  readonly deadline?: number
}

/** A server that runs and keeps everything in memory. */
export type LocalServer = NewIdentity & {
  /** Without a trailing slash. */
  readonly url: string
  readonly process: ServerProcess
}

/**
 * Starts a server on a free port of loopback and waits until it answers. It goes on when this process ends; end it by
 * `stopProcess`. Throws a `SetupFailure`, the end of the server's log in it, when it does not come up; nothing runs then.
 */
export async function startLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 })
  for (let tries = 1; ; tries++) {
    insistOnGoing(options.signal)
    const started = await tryPort(await freePort(), options)
    if (started.kind === 'running') return started.server
    // Between choosing a port and listening, somebody else may have taken it.
    const isTaken = started.reason === 'ended' && /already in use|address in use/i.test(started.log)
    if (!isTaken || tries === 5) throw new SetupFailure('server not started', explain(started, options))
  }
}

type Started = { readonly kind: 'running'; readonly server: LocalServer } | NotStarted

type NotStarted = { readonly kind: 'not-started'; readonly reason: string; readonly log: string }

async function tryPort(port: number, options: LocalServerOptions): Promise<Started> {
  const { clock, onSecret, signal } = options
  const url = `http://127.0.0.1:${port}`
  const launched = await launch(port, options)
  if (launched.kind === 'not-started') return launched
  try {
    const reason = await untilAnswering(url, launched, options)
    if (reason !== undefined) return await giveUp(launched.process, reason, clock)
    const somebody = await createIdentity({ url, onSecret, clock })
    insistOnGoing(signal)
    // Then another program that took the port has answered.
    if (launched.hasEnded()) return await giveUp(launched.process, 'ended', clock)
    return { kind: 'running', server: { url, ...somebody, process: launched.process } }
  } catch (error) {
    await stopProcess(launched.process, clock)
    throw error
  }
}

async function giveUp(process: ServerProcess, reason: string, clock: Clock): Promise<NotStarted> {
  await stopProcess(process, clock)
  return { kind: 'not-started', reason, log: await endOfLog(process.logFile) }
}

type Launched = { readonly kind: 'launched'; readonly process: ServerProcess; hasEnded(): boolean }

/** A process of its own, without pipes: nothing of it ends with the step, or keeps the step from ending. */
async function launch(port: number, options: LocalServerOptions): Promise<Launched | NotStarted> {
  const { program, folder, environment, onStarted } = options
  const logFile = join(folder, 'server.log')
  const log = openSync(logFile, 'w', 0o600)
  try {
    const child = spawn(program, argumentsFor(port, folder), {
      cwd: folder,
      env: { ...environment },
      stdio: ['ignore', log, log],
      detached: true,
      windowsHide: true
    })
    let ended = false
    child.once('exit', () => {
      ended = true
    })
    const problem = await new Promise<Error | undefined>((resolve) => {
      child.once('error', resolve)
      child.once('spawn', () => resolve(undefined))
    })
    if (problem !== undefined || child.pid === undefined) {
      return { kind: 'not-started', reason: `it could not be started: ${messageOf(problem)}`, log: '' }
    }
    child.unref()
    const process = processOf(child.pid, logFile)
    onStarted(process)
    return { kind: 'launched', process, hasEnded: () => ended }
  } finally {
    closeSync(log)
  }
}

function argumentsFor(port: number, folder: string): readonly string[] {
  return [
    'start',
    ...['--listen-addr', `127.0.0.1:${port}`],
    ...['--data-dir', join(folder, 'data')],
    ...['--jwt-pub-key-path', join(folder, 'id_ecdsa.pub')],
    ...['--jwt-priv-key-path', join(folder, 'id_ecdsa')],
    '--non-interactive',
    '--in-memory'
  ]
}

/** Why the server does not answer; `undefined` when it does. */
async function untilAnswering(
  url: string,
  launched: Launched,
  { clock, signal, deadline = 60_000 }: LocalServerOptions
): Promise<'ended' | 'silent' | undefined> {
  const server = connect({ url, clock, patience: { attempts: 1 }, timeouts: { read: 2_000 } })
  const end = clock.now() + deadline
  for (;;) {
    insistOnGoing(signal)
    if (launched.hasEnded()) return 'ended'
    const answers = await server.ping().then(
      () => true,
      () => false
    )
    // What answers may be another program that took the port, when this one has ended.
    if (answers && !launched.hasEnded()) return undefined
    if (clock.now() >= end) return 'silent'
    await clock.sleep(50, signal)
  }
}

function explain({ reason, log }: NotStarted, { deadline = 60_000 }: LocalServerOptions): string {
  const what = { ended: 'it ended', silent: `it did not answer within ${deadline / 1000} s` }[reason] ?? reason
  const said = log.trim() === '' ? 'It wrote nothing to its log.' : `The end of its log:\n${log}`
  return `The server does not run: ${what}. ${said}`
}

/** The last lines of a server's log, without anything that looks like a token. '' when there is none. */
export async function endOfLog(logFile: string, lines = 40): Promise<string> {
  const longest = 64 << 10
  try {
    const file = await open(logFile)
    try {
      const { size } = await file.stat()
      const bytes = Buffer.alloc(Math.min(size, longest))
      await file.read(bytes, 0, bytes.length, size - bytes.length)
      return redactLog(bytes.toString('utf8')).trimEnd().split('\n').slice(-lines).join('\n')
    } finally {
      await file.close()
    }
  } catch {
    return ''
  }
}

/** A log without anything that looks like a token. */
export function redactLog(text: string): string {
  return keepSecrets(() => {}).redact(text)
}

/** A port that nobody listens on. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}
