// @ts-check
/**
 * The program that runs a module's own code to make it describe itself: started by describe.ts in a process without
 * environment, with `wasm` or `js`, the memory (in MiB) and the time (in ms) that it may take as arguments, and the
 * module's bytes as input. It prints the raw definition in BSATN and ends with 0, or prints what is wrong with the module
 * and ends with 1. Plain JavaScript in one file, so that it can be started as it is, and be allowed to read nothing else.
 *
 * What it does is what the server does: crates/core/src/host of https://github.com/clockworklabs/SpacetimeDB.
 */
import { readFileSync, writeSync } from 'node:fs'
import vm from 'node:vm'

const [kind, maxMemory, timeout] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]

/** What is wrong with the module; anything else that is thrown is thrown by its code. */
class ModuleFault extends Error {}

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function main(bytes) {
  try {
    const definition = kind === 'js' ? await describeJavaScript(bytes) : limited(() => describeWebAssembly(bytes))
    if (definition.length === 0) throw new ModuleFault('it says nothing of itself')
    print(definition)
    process.exit(0)
  } catch (error) {
    print(new TextEncoder().encode(faultOf(error).slice(0, 2000)))
    process.exit(1)
  }
}

/**
 * Ends endless code, which whoever started this process might no longer be there to do. Only scripts can be limited, so
 * one calls the function.
 *
 * @template Result
 * @param {() => Result} run
 * @returns {Result}
 */
function limited(run) {
  Object.assign(globalThis, { runLimited: run })
  return vm.runInThisContext('runLimited()', { timeout })
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
function describeWebAssembly(bytes) {
  const module = compile(bytes)
  checkImports(module)
  checkExports(module)
  const host = new Host()
  try {
    const instance = new WebAssembly.Instance(module, host.importsOf(module))
    return host.describe(/** @type {any} */ (instance.exports))
  } catch (error) {
    if (error instanceof ModuleFault || !(error instanceof WebAssembly.RuntimeError)) throw error
    const memory = /memory/.test(messageOf(error)) ? ` (it may take ${maxMemory} MiB of memory)` : ''
    throw new ModuleFault(`its code failed while it described itself: ${host.lastError || messageOf(error)}${memory}`)
  }
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
function compile(bytes) {
  try {
    return new WebAssembly.Module(bytes)
  } catch (error) {
    throw new ModuleFault(`it is not valid WebAssembly: ${messageOf(error).replace(/^WebAssembly\.Module\(\): /, '')}`)
  }
}

/** @param {WebAssembly.Module} module */
function checkImports(module) {
  const imports = WebAssembly.Module.imports(module)
  const named = imports.map((each) => ({ ...each, abi: /^spacetime_(\d+)\.\d+$/.exec(each.module)?.[1] }))
  const foreign = named.find(({ abi, kind }) => abi === undefined || kind !== 'function')
  if (imports.length === 0) throw new ModuleFault('it is not a SpacetimeDB module: it imports nothing from SpacetimeDB')
  if (foreign !== undefined) {
    const others = named.filter(({ abi }) => abi !== undefined)
    throw new ModuleFault(
      `${others.length === 0 ? 'it is not a SpacetimeDB module: ' : ''}it imports the ${foreign.kind} ` +
        `\`${foreign.module}.${foreign.name}\`, which SpacetimeDB does not have`
    )
  }
  const unknown = named.find(({ abi }) => abi !== '10')
  if (unknown !== undefined) {
    throw new ModuleFault(
      `it is built for an interface (ABI) of SpacetimeDB that is not known here: ${unknown.module}, known is spacetime_10`
    )
  }
}

/** @param {WebAssembly.Module} module */
function checkExports(module) {
  const exports = WebAssembly.Module.exports(module)
  for (const [name, kind] of [
    ['memory', 'memory'],
    ['__describe_module__', 'function'],
    ['__call_reducer__', 'function']
  ]) {
    if (!exports.some((each) => each.name === name && each.kind === kind)) {
      throw new ModuleFault(`it is not a SpacetimeDB module: it exports no ${kind} \`${name}\``)
    }
  }
}

/** The functions that a module imports: those that describing needs, the others fail. */
class Host {
  /** The last error or panic that the module logged. */
  lastError = ''
  /** @type {Uint8Array[]} */
  #written = []
  #size = 0
  /** @type {WebAssembly.Memory | undefined} */
  #memory

  /** @param {WebAssembly.Module} module */
  importsOf(module) {
    /** @type {Record<string, Record<string, Function>>} */
    const imports = {}
    /** @type {Map<string, (...values: number[]) => number | void>} */
    const offered = new Map([
      ['bytes_sink_write', (sink = 0, from = 0, lengthAt = 0) => this.#write(sink, from, lengthAt)],
      ['console_log', (...log) => this.#log(log)]
    ])
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      imports[from] ??= {}
      imports[from][name] =
        offered.get(name) ??
        (() => {
          throw new ModuleFault(`its code calls \`${name}\` while it describes itself, which no server allows`)
        })
    }
    return imports
  }

  /** @param {Record<string, any>} exports */
  describe(exports) {
    this.#memory = exports.memory
    exports._initialize?.()
    const preparations = Object.keys(exports).filter((name) => name.startsWith('__preinit__'))
    for (const name of preparations.sort()) exports[name]()
    const failed = exports.__setup__?.(theSink)
    const complaint = new TextDecoder().decode(this.#taken())
    if (failed) throw new ModuleFault(`its set-up failed: ${complaint}`)
    exports.__describe_module__(theSink)
    return this.#taken()
  }

  #taken() {
    const bytes = new Uint8Array(this.#size)
    let at = 0
    for (const chunk of this.#written) {
      bytes.set(chunk, at)
      at += chunk.length
    }
    this.#written = []
    this.#size = 0
    return bytes
  }

  /** @param {number} sink @param {number} from @param {number} lengthAt */
  #write(sink, from, lengthAt) {
    if (sink !== theSink) return noSuchBytes
    const length = new DataView(this.#buffer()).getUint32(lengthAt >>> 0, true)
    this.#size += length
    if (this.#size > maxDefinition) throw new ModuleFault(`its definition is larger than ${maxDefinition >> 20} MiB`)
    this.#written.push(this.#bytes(from, length).slice())
    return 0
  }

  /** @param {number[]} log level, target, its length, file name, its length, line, message, its length */
  #log([level, , , , , , message = 0, length = 0]) {
    if (level !== errorLevel && level !== panicLevel) return
    this.lastError = new TextDecoder().decode(this.#bytes(message, Math.min(length >>> 0, 1000)))
  }

  /** @param {number} from @param {number} length */
  #bytes(from, length) {
    return new Uint8Array(this.#buffer(), from >>> 0, length)
  }

  #buffer() {
    if (this.#memory === undefined) throw new ModuleFault('its code calls the host before it is started')
    return this.#memory.buffer
  }
}

const theSink = 1
const noSuchBytes = 8
const maxDefinition = 16 << 20
const errorLevel = 0
const panicLevel = 101

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function describeJavaScript(bytes) {
  const context = vm.createContext({ TextEncoder, TextDecoder })
  const hooks = hooksHolder()
  const module = parse(new TextDecoder().decode(bytes), context)
  await module.link((/** @type {string} */ specifier) => {
    if (!/^spacetime:sys@[12]\.\d+$/.test(specifier)) {
      throw new ModuleFault(
        `it imports \`${specifier}\`, which SpacetimeDB does not have; known are spacetime:sys@1 and @2`
      )
    }
    return new vm.SyntheticModule(
      Object.keys(hooks.exports),
      /** @this {any} */ function () {
        for (const [name, value] of Object.entries(hooks.exports)) this.setExport(name, value)
      },
      { context, identifier: specifier }
    )
  })
  await module.evaluate({ timeout })
  const described = limited(() => hooks.of(module.namespace).__describe_module__())
  if (!ArrayBuffer.isView(described)) throw new ModuleFault('its `__describe_module__` returns no bytes')
  return new Uint8Array(described.buffer, described.byteOffset, described.byteLength)
}

/** @param {string} text @param {vm.Context} context */
function parse(text, context) {
  try {
    return new vm.SourceTextModule(text, { context, identifier: 'module.js' })
  } catch (error) {
    if (/** @type {any} */ (error)?.name !== 'SyntaxError' || !usesUsing.test(text) || nodeVersion >= 24) throw error
    throw new ModuleFault(
      `it has \`using\` declarations, as the bindings of SpacetimeDB 2 have, and Node ${process.versions.node} can't read ` +
        `them (${messageOf(error)}); Node 24 can, which GitHub's runners run actions with`
    )
  }
}

const usesUsing = /^\s*(await\s+)?using\s+\w+\s*=/m
const nodeVersion = Number.parseInt(process.versions.node, 10)

/**
 * What `spacetime:sys` exports, and the hooks that a module answers by: it registers them (version 1), or its default
 * export makes them when asked by a symbol (version 2).
 */
function hooksHolder() {
  const symbol = Symbol('SpacetimeDB.moduleHooks.v2')
  /** @type {Record<string, Function>} */
  const registered = {}
  const functions = sysFunctions.map((name) => [
    name,
    () => {
      throw new ModuleFault(`its code calls \`${name}\` while it describes itself, which no server allows`)
    }
  ])
  return {
    exports: {
      ...Object.fromEntries(functions),
      console_log: () => undefined,
      moduleHooks: symbol,
      register_hooks: (/** @type {object} */ hooks) => Object.assign(registered, hooks)
    },
    /** @param {any} namespace */
    of(namespace) {
      const hooks = registered.__describe_module__ ? registered : namespace.default?.[symbol]?.(namespace)
      if (typeof hooks?.__describe_module__ !== 'function') {
        throw new ModuleFault('it is not a SpacetimeDB module: its default export is no schema')
      }
      return hooks
    }
  }
}

/** crates/bindings-typescript/src/server/sys.d.ts */
const sysFunctions = `
  table_id_from_name index_id_from_name datastore_table_row_count datastore_table_scan_bsatn
  datastore_index_scan_range_bsatn row_iter_bsatn_advance row_iter_bsatn_close datastore_insert_bsatn
  datastore_update_bsatn datastore_delete_by_index_scan_range_bsatn datastore_delete_all_by_eq_bsatn
  volatile_nonatomic_schedule_immediate console_timer_start console_timer_end identity get_jwt_payload
  procedure_http_request procedure_start_mut_tx procedure_commit_mut_tx procedure_abort_mut_tx
  datastore_index_scan_point_bsatn datastore_delete_by_index_scan_point_bsatn datastore_clear`
  .trim()
  .split(/\s+/)

/** @param {Uint8Array} bytes */
function print(bytes) {
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at)
}

/** @param {unknown} error */
function faultOf(error) {
  const code = /** @type {any} */ (error)?.code
  if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
    return `it took longer than ${timeout / 1000} s; what declares tables and functions takes milliseconds`
  return error instanceof ModuleFault ? error.message : `its code failed while it described itself: ${messageOf(error)}`
}

/** @param {unknown} error */
function messageOf(error) {
  try {
    return String(/** @type {any} */ (error)?.message ?? error)
  } catch {
    return 'an error without a message'
  }
}

await main(new Uint8Array(readFileSync(0)))
