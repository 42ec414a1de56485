import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
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
    throw new ConfigurationError(`The module's description of itself is not valid: ${messageOf(error)}.`, {
      cause: error
    })
  }
}

/** As `describeModule`, but in the module's own words. */
export async function describeRawModule(module: Module, options: DescribeOptions = {}): Promise<DecodedModuleDef> {
  const { code, output } = await runChild(module, options.timeout ?? 10_000)
  if (code === 0) return decodeRawModuleDef(output)
  throw new ConfigurationError(
    `The ${nameOf(module.kind)} module can't be described: ${printable(output)}. ` +
      'Is it what `spacetime build` made, with the bindings of SpacetimeDB 1.0 or newer?'
  )
}

type Ended = { readonly code: 0 | 1; readonly output: Uint8Array }

/** Rejects with a `ConfigurationError` when the child was ended by a limit, and with an `Error` when it can't be run. */
function runChild(module: Module, timeout: number): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...nodeOptions(module.kind), childProgram, module.kind, `${maxMemory}`], {
      env: {},
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true
    })
    const output = new BoundedOutput(maxDefinition)
    const complaints = new BoundedOutput(maxComplaints)
    let endedBecause: string | undefined
    const end = (reason: string) => {
      endedBecause ??= reason
      child.kill('SIGKILL')
    }
    const timer = setTimeout(() => end(`it took longer than ${timeout / 1000} s`), timeout)
    // A module may spin for as long as it likes: it must not outlive a process that needs its answer no more.
    const endWithUs = () => child.kill('SIGKILL')
    process.once('exit', endWithUs)
    child.stdout.on('data', (chunk: Uint8Array) => {
      if (!output.add(chunk)) end(`its definition is larger than ${maxDefinition >> 20} MiB`)
    })
    child.stderr.on('data', (chunk: Uint8Array) => complaints.add(chunk))
    child.stdin.on('error', () => undefined) // The child may end before it has read everything.
    child.stdin.end(module.bytes)
    child.once('exit', () => process.off('exit', endWithUs))
    child.on('error', (error) => {
      clearTimeout(timer)
      process.off('exit', endWithUs)
      reject(new Error(`Node could not be started to describe the module: ${error.message}`, { cause: error }))
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (endedBecause === undefined && (code === 0 || code === 1) && output.size > 0) {
        resolve({ code, output: output.bytes() })
      } else {
        const reason = endedBecause ?? reasonOf(code, signal, printable(complaints.bytes()))
        reject(new ConfigurationError(`The ${nameOf(module.kind)} module can't be described: ${reason}. ${advice}`))
      }
    })
  })
}

const advice = 'Describing runs only what declares tables and functions; look for endless work in its set-up code.'
const pagesOfMegabyte = 16
const maxDefinition = 16 << 20
const maxComplaints = 64 << 10

/** What a WebAssembly module may take, in MiB. */
const maxMemory = 256
/** What JavaScript may take, in MiB. */
const maxHeap = 192

const childProgram = join(dirname(fileURLToPath(import.meta.url)), 'describe-child.js')

function nodeOptions(kind: ModuleKind): string[] {
  const permission = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission'
  return [
    permission,
    `--allow-fs-read=${childProgram}`,
    '--no-warnings',
    `--wasm-max-mem-pages=${maxMemory * pagesOfMegabyte}`,
    `--max-old-space-size=${maxHeap}`,
    ...(kind === 'js' ? ['--experimental-vm-modules'] : [])
  ]
}

function reasonOf(code: number | null, signal: string | null, complaints: string): string {
  if (/out of memory|heap limit/i.test(complaints)) return `it takes more than ${maxHeap} MiB of memory`
  const how = signal === null ? `code ${code}` : signal
  return `its code ended the process (${how})${complaints === '' ? '' : `: ${complaints}`}`
}

function nameOf(kind: ModuleKind): string {
  return kind === 'wasm' ? 'WebAssembly' : 'JavaScript'
}

/** The beginning of what a child says, in one line without control characters. */
function printable(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes.subarray(0, 2000))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is taken out
  return text.replace(/[\x00-\x1f\x7f\s]+/g, ' ').trim()
}

/** Keeps what comes up to a limit. */
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
