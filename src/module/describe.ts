import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { ConfigurationError, messageOf } from '../errors.ts'
import type { Module, ModuleKind } from './module.ts'
import { type DecodedModuleDef, decodeRawModuleDef } from './raw-module-def.ts'
import type { Schema } from './schema.ts'
import { schemaFromRaw } from './schema-from-raw.ts'

export type DescribeOptions = {
  /** In milliseconds; 10 s without it. */
  readonly timeout?: number
}

/**
 * What a module declares, asked of the module itself, offline: with names as a server makes them. The module's code is
 * not trusted: it runs in a process of its own without environment, with limits of time and memory, and allowed to read
 * no file (docs/server-behaviour.md, "Modules, offline"). Throws a `ConfigurationError` when it is no SpacetimeDB module, or
 * one that can't be described.
 */
export async function describeModule(module: Module, options: DescribeOptions = {}): Promise<Schema> {
  const { raw, unknownParts } = await describeRawModule(module, options)
  try {
    return schemaFromRaw(raw, 'module', unknownParts)
  } catch (error) {
    throw undescribable(module, `its description of itself is not valid: ${messageOf(error)}`)
  }
}

/** As `describeModule`, but in the module's own words. */
export async function describeRawModule(module: Module, options: DescribeOptions = {}): Promise<DecodedModuleDef> {
  const answer = await answerOf(module, options.timeout ?? 10_000)
  if (answer.kind === 'fault') throw undescribable(module, answer.reason)
  return decodeRawModuleDef(answer.definition)
}

function undescribable({ kind }: Module, reason: string): ConfigurationError {
  const language = kind === 'wasm' ? 'WebAssembly' : 'JavaScript'
  return new ConfigurationError(
    `The ${language} module can't be described: ${reason}. Is it what \`spacetime build\` made, with the bindings of ` +
      'SpacetimeDB 1.0 or newer?'
  )
}

type Answer =
  | { readonly kind: 'definition'; readonly definition: Uint8Array }
  | { readonly kind: 'fault'; readonly reason: string }

type Child = ChildProcessByStdio<Writable, Readable, Readable>

/** Rejects when Node can't be started; whatever the module's code does is an answer. */
function answerOf(module: Module, timeout: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = start(module.kind, timeout)
    const output = new BoundedOutput(maxDefinition)
    const complaints = new BoundedOutput(maxComplaints)
    let endedFor: string | undefined
    const end = (reason: string) => {
      endedFor ??= reason
      child.kill('SIGKILL')
    }
    const leave = () => end('the action ended')
    const timer = setTimeout(() => end(`it took longer than ${timeout / 1000} s`), timeout + timeToStart)
    const settle = () => {
      clearTimeout(timer)
      process.off('exit', leave)
    }
    process.once('exit', leave)
    child.stdout.on('data', (chunk: Uint8Array) => {
      if (!output.add(chunk)) end(`its definition is larger than ${maxDefinition >> 20} MiB`)
    })
    child.stderr.on('data', (chunk: Uint8Array) => complaints.add(chunk))
    child.stdin.on('error', () => undefined) // The child may end before it has read everything.
    child.stdin.end(module.bytes)
    child.once('error', (error) => {
      settle()
      reject(new Error(`Node could not be started to describe the module: ${error.message}`, { cause: error }))
    })
    child.once('close', (code, signal) => {
      settle()
      if (endedFor !== undefined) resolve({ kind: 'fault', reason: endedFor })
      else if (code === 0 && output.size > 0) resolve({ kind: 'definition', definition: output.bytes() })
      else if (code === 1 && output.size > 0) resolve({ kind: 'fault', reason: printable(output.bytes()) })
      else resolve({ kind: 'fault', reason: reasonOf(code, signal, printable(complaints.bytes())) })
    })
  })
}

const childProgram = join(dirname(fileURLToPath(import.meta.url)), 'describe-child.js')

/** What a module may take, in MiB. */
const maxMemory = 256
const maxDefinition = 16 << 20
const maxComplaints = 64 << 10

/** What Node itself may take to start, in milliseconds, on a busy machine. */
const timeToStart = 2_000

function start(kind: ModuleKind, timeout: number): Child {
  const permission = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission'
  const options = [
    permission,
    `--allow-fs-read=${childProgram}`,
    '--no-warnings',
    `--wasm-max-mem-pages=${maxMemory * 16}`,
    `--max-old-space-size=${maxMemory}`,
    ...(kind === 'js' ? ['--experimental-vm-modules'] : [])
  ]
  return spawn(process.execPath, [...options, childProgram, kind, `${maxMemory}`, `${timeout}`], {
    env: {},
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true
  })
}

function reasonOf(code: number | null, signal: string | null, complaints: string): string {
  if (/out of memory|heap limit/i.test(complaints)) return `its code takes more than ${maxMemory} MiB of memory`
  return `its code ended the process (${signal ?? `code ${code}`})${complaints === '' ? '' : `: ${complaints}`}`
}

/** The beginning of what a child says, in one line without control characters. */
function printable(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes.subarray(0, 2000))
  return text.replace(/[\p{Cc}\s]+/gu, ' ').trim()
}

/** Keeps what comes, up to a limit. */
class BoundedOutput {
  readonly #limit: number
  readonly #chunks: Uint8Array[] = []
  size = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Whether it fitted. */
  add(chunk: Uint8Array): boolean {
    if (this.size + chunk.length > this.#limit) return false
    this.#chunks.push(chunk)
    this.size += chunk.length
    return true
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#chunks)
  }
}
