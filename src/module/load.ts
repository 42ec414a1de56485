import { readFile, stat } from 'node:fs/promises'
import { ConfigurationError, messageOf } from '../errors.ts'
import { hashModule, type ModuleHash } from './hash.ts'
import type { Module, ModuleKind } from './module.ts'

/**
 * The largest module that is loaded, in bytes. A server holds a module in memory several times over while it publishes
 * it, and real modules have a few megabytes.
 */
export const maxModuleSize = 64 << 20

/**
 * Reads a compiled module. Throws a `ConfigurationError` that names the path when there is none, it can't be read, is
 * empty, too large or not a module.
 */
export async function loadModule(path: string): Promise<Module> {
  const { size } = await fileAt(path)
  if (size > maxModuleSize) {
    throw new ConfigurationError(
      `The module ${path} has ${mebibytes(size)} MiB; more than ${mebibytes(maxModuleSize)} MiB are not accepted, because a ` +
        'server holds it in memory several times while it publishes. Build it in release mode, optimised for size.'
    )
  }
  const bytes = await readFile(path).catch((error) => Promise.reject(unreadable(path, error)))
  return moduleNamed(path, new Uint8Array(bytes))
}

/**
 * A module from its bytes, such as a server's. Without a kind, they tell: throws a `ConfigurationError` when they are
 * neither WebAssembly nor a JavaScript module of SpacetimeDB.
 */
export function moduleFromBytes(bytes: Uint8Array, kind?: ModuleKind): Module {
  if (kind === undefined) return moduleNamed('of these bytes', bytes)
  return moduleOf(bytes, kind)
}

function moduleNamed(name: string, bytes: Uint8Array): Module {
  if (bytes.length === 0) {
    throw new ConfigurationError(`The module ${name} is empty. Was the build cut short? Build it again.`)
  }
  const kind = kindOf(bytes)
  if (kind === undefined) {
    throw new ConfigurationError(
      `The module ${name} is neither WebAssembly nor JavaScript that imports \`spacetime:sys\`: it begins with ` +
        `${beginning(bytes)}. Give the file that \`spacetime build\` makes: a .wasm file, or the bundle of a TypeScript module.`
    )
  }
  return moduleOf(bytes, kind)
}

/** The hash is made when it is first asked for: it takes longer than asking a server the first question. */
function moduleOf(bytes: Uint8Array, kind: ModuleKind): Module {
  let hash: ModuleHash | undefined
  return {
    bytes,
    kind,
    get hash() {
      hash ??= hashModule(bytes)
      return hash
    }
  }
}

async function fileAt(path: string): Promise<{ size: number }> {
  if (path === '')
    throw new ConfigurationError('The path of the module is empty. Give the compiled module, a .wasm file.')
  const found = await stat(path).catch((error) => Promise.reject(unreadable(path, error)))
  if (found.isDirectory()) {
    throw new ConfigurationError(
      `The module ${path} is a directory. Give the compiled file in it: a .wasm file, or the bundle of a TypeScript module.`
    )
  }
  if (!found.isFile()) throw new ConfigurationError(`The module ${path} is not a file.`)
  return found
}

function unreadable(path: string, error: unknown): ConfigurationError {
  const code = (error as { code?: unknown } | undefined)?.code
  const message =
    code === 'ENOENT' || code === 'ENOTDIR'
      ? `Input \`module\`: the file ${path} does not exist. Is it built before this step, and is the path relative to the workspace?`
      : `The module ${path} can't be read (${code ?? messageOf(error)}).${code === 'EACCES' ? ' Check its permissions.' : ''}`
  return new ConfigurationError(message, { cause: error })
}

function kindOf(bytes: Uint8Array): ModuleKind | undefined {
  if (wasmMagic.every((byte, index) => bytes[index] === byte)) return 'wasm'
  const text = textOf(bytes)
  return text !== undefined && /\bfrom\s*["']spacetime:sys@\d+\.\d+["']|\bimport\s*["']spacetime:sys@/.test(text)
    ? 'js'
    : undefined
}

const wasmMagic = [0x00, 0x61, 0x73, 0x6d]

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Not more of it: the path may be wrong, and the file a secret one. */
function beginning(bytes: Uint8Array): string {
  if (bytes[0] === '<'.charCodeAt(0)) return '`<`, as a web page does (a download that failed?)'
  return `the bytes ${Buffer.from(bytes.subarray(0, 4)).toString('hex')}`
}

function mebibytes(size: number): string {
  return `${Math.ceil(size / (1 << 20))}`
}
