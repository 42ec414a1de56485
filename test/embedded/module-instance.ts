import type { Datastore } from './datastore.ts'
import { errno } from './errno.ts'
import { Handles } from './handles.ts'
import { type Host, type HostFunctions, hostFunctions, type ModuleLogRecord } from './host-functions.ts'
import { type WasmMemory, type WasmModule, webAssembly } from './webassembly.ts'

/** Who calls, from where and when. Identity and connection are bytes as a module gets them: little-endian. */
export type Caller = {
  readonly identity: Uint8Array
  readonly connection: Uint8Array
  /** Microseconds since the epoch. */
  readonly timestamp: bigint
  /** The claims of the caller's token, as JSON text. */
  readonly claims: string
}

export type CallOutcome =
  | { readonly kind: 'returned'; readonly bytes: Uint8Array }
  /** The function returned an error. */
  | { readonly kind: 'failed'; readonly message: string }
  /** It panicked or did what a module may not do: its instance is gone. */
  | { readonly kind: 'crashed'; readonly message: string }

/** As of any call, with the answer's body. */
export type HttpOutcome =
  | (CallOutcome & { readonly kind: 'returned' } & { readonly body: Uint8Array })
  | Exclude<CallOutcome, { readonly kind: 'returned' }>

/** A module that can't be loaded; the message is the server's. */
export class BadModule extends Error {
  override readonly name = 'BadModule'
}

/** A WebAssembly module that runs: its own code over a datastore, in transactions. */
export class ModuleInstance {
  readonly #module: WasmModule
  readonly #host: Host
  readonly #functions: HostFunctions
  #handles = new Handles()
  #exports: Exports
  #caller: Caller | undefined

  /** Compiles and starts the module. Throws BadModule. */
  constructor(bytes: Uint8Array, identity: Uint8Array, log: (record: ModuleLogRecord) => void) {
    this.#module = compile(bytes)
    this.#host = {
      identity,
      datastore: undefined,
      memory: () => new Uint8Array(this.#exports.memory.buffer),
      log,
      claimsOf: (connection) => (isSame(connection, this.#caller?.connection) ? this.#caller?.claims : undefined)
    }
    this.#functions = hostFunctions(this.#host, () => this.#handles)
    checkImports(this.#module, this.#functions)
    checkExports(this.#module)
    this.#exports = {} as Exports
    this.#start()
  }

  get datastore(): Datastore {
    if (this.#host.datastore === undefined) throw new Error('the database is not open yet')
    return this.#host.datastore
  }

  /** What the module declares: BSATN of a RawModuleDef. An instance must do so before it can be called. Throws BadModule. */
  describe(): Uint8Array {
    this.#handles = new Handles()
    const sink = this.#handles.sink()
    try {
      this.#exports.__describe_module__(sink)
    } catch (error) {
      throw new BadModule(`error getting module description: ${error}`)
    }
    return this.#handles.written(sink)
  }

  open(datastore: Datastore): void {
    this.#host.datastore = datastore
  }

  /** Runs a reducer in a transaction, which is committed only when it returns without an error. */
  callReducer(id: number, caller: Caller, args: Uint8Array): CallOutcome {
    this.datastore.begin()
    const outcome = this.#call(caller, args, (source, sink) =>
      this.#exports.__call_reducer__(id, ...callerWords(caller), caller.timestamp, source, sink)
    )
    if (outcome.kind === 'returned') this.datastore.commit()
    else this.datastore.rollBack()
    return outcome
  }

  /** Runs a procedure, which opens transactions of its own. */
  callProcedure(id: number, caller: Caller, args: Uint8Array): CallOutcome {
    const call = this.#exports.__call_procedure__
    if (call === undefined) return { kind: 'crashed', message: 'the module exports no __call_procedure__' }
    const outcome = this.#call(caller, args, (source, sink) =>
      call(id, ...callerWords(caller), caller.timestamp, source, sink)
    )
    if (this.datastore.inTransaction) this.datastore.rollBack()
    return outcome
  }

  /** Runs a handler of HTTP requests, which opens transactions of its own. Request and answer are BSATN, bodies apart. */
  callHttpHandler(id: number, timestamp: bigint, request: Uint8Array, body: Uint8Array): HttpOutcome {
    const call = this.#exports.__call_http_handler__
    if (call === undefined) return { kind: 'crashed', message: 'the module exports no __call_http_handler__' }
    let answerBody: Uint8Array = new Uint8Array()
    const outcome = this.#call(undefined, request, (source, sink) => {
      const bodySink = this.#handles.sink()
      const code = call(id, timestamp, source, this.#handles.source(body), sink, bodySink)
      answerBody = this.#handles.written(bodySink)
      return code
    })
    if (this.datastore.inTransaction) this.datastore.rollBack()
    return outcome.kind === 'returned' ? { ...outcome, body: answerBody } : outcome
  }

  /** Runs a view within the transaction that is open; `undefined` for one that does not depend on its caller. */
  callView(id: number, caller: Caller | undefined): CallOutcome {
    const { __call_view__: ofCaller, __call_view_anon__: anonymous } = this.#exports
    return this.#call(caller, new Uint8Array(), (source, sink) => {
      if (caller !== undefined) return ofCaller?.(id, ...words(caller.identity), source, sink) ?? -1
      return anonymous?.(id, source, sink) ?? -1
    })
  }

  #call(caller: Caller | undefined, args: Uint8Array, run: (source: number, sink: number) => number): CallOutcome {
    this.#handles = new Handles()
    this.#caller = caller
    const sink = this.#handles.sink()
    try {
      const code = run(this.#handles.source(args), sink)
      const bytes = this.#handles.written(sink)
      if (code === errno.hostCallFailure) return { kind: 'failed', message: new TextDecoder().decode(bytes) }
      if (code === 0 || code === viewCode) return { kind: 'returned', bytes }
      return { kind: 'crashed', message: `unknown return code ${code}` }
    } catch (error) {
      this.#start()
      this.describe()
      return { kind: 'crashed', message: String(error) }
    }
  }

  #start(): void {
    const instance = new webAssembly.Instance(this.#module, this.#functions)
    this.#exports = instance.exports as unknown as Exports
    this.#handles = new Handles()
    try {
      this.#exports._initialize?.()
      for (const name of preinits(this.#module)) (this.#exports[name] as () => void)()
      const sink = this.#handles.sink()
      if (this.#exports.__setup__ !== undefined && this.#exports.__setup__(sink) !== 0)
        throw new Error(new TextDecoder().decode(this.#handles.written(sink)))
    } catch (error) {
      throw new BadModule(`setup failed: ${error instanceof Error ? error.message : error}`)
    }
  }
}

/** What a view returns: its answer begins with a header that says what follows. */
const viewCode = 2

type Exports = {
  readonly memory: WasmMemory
  _initialize?(): void
  __setup__?(sink: number): number
  __describe_module__(sink: number): void
  __call_reducer__(id: number, ...rest: (bigint | number)[]): number
  __call_procedure__?(id: number, ...rest: (bigint | number)[]): number
  __call_http_handler__?(id: number, timestamp: bigint, ...rest: number[]): number
  __call_view__?(id: number, ...rest: (bigint | number)[]): number
  __call_view_anon__?(id: number, source: number, sink: number): number
  readonly [preinit: string]: unknown
}

function compile(bytes: Uint8Array): WasmModule {
  try {
    return new webAssembly.Module(bytes)
  } catch (error) {
    throw new BadModule(`failed to parse WebAssembly module: ${whyNotModule(bytes) ?? (error as Error).message}`)
  }
}

function whyNotModule(bytes: Uint8Array): string | undefined {
  const magic = [0, 0x61, 0x73, 0x6d]
  const list = (values: Iterable<number>) => `[\n${[...values].map((v) => `    0x${v.toString(16)},\n`).join('')}]`
  if (bytes.length < 4) return 'unexpected end-of-file (at offset 0x0)'
  if (magic.every((byte, i) => byte === bytes[i])) return undefined
  const found = list(bytes.subarray(0, 4))
  return `magic header not detected: bad magic number - expected=${list(magic)} actual=${found} (at offset 0x0)`
}

/** Which ABI the module wants, then whether each of its imports is here. Throws BadModule. */
function checkImports(module: WasmModule, functions: HostFunctions): void {
  const imports = webAssembly.Module.imports(module).filter(({ kind }) => kind === 'function')
  const versions = imports.flatMap((entry) => /^spacetime_(.*)$/.exec(entry.module)?.[1] ?? [])
  if (versions.length === 0)
    throw new BadModule('unable to determine ABI of module (may be on an spacetime version < 0.8)')
  for (const version of versions) {
    const [, major, minor] = /^(\d+)\.(\d+)$/.exec(version) ?? []
    if (major === undefined) throw new BadModule(`import module "spacetime_${version}" has malformed version string`)
    if (major !== '10' || Number(minor) > 5)
      throw new BadModule(`abi version ${version} is not supported (host implements 10.5)`)
  }
  for (const { module: from, name } of imports) {
    if (functions[from]?.[name] !== undefined) continue
    const why = from.startsWith('spacetime_') ? 'is not supported by the embedded server' : 'has not been defined'
    throw new BadModule(`unknown import: \`${from}::${name}\` ${why}`)
  }
}

function checkExports(module: WasmModule): void {
  const exported = new Map(webAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]))
  if (exported.get('memory') !== 'memory')
    throw new BadModule('there should be a memory export called "memory" but it does not exist')
  for (const name of ['__call_reducer__', '__describe_module__']) {
    if (exported.get(name) !== 'function')
      throw new BadModule(`there should be a function called "${name}" but it does not exist`)
  }
}

function preinits(module: WasmModule): string[] {
  return webAssembly.Module.exports(module)
    .map(({ name }) => name)
    .filter((name) => name.startsWith('__preinit__'))
    .sort()
}

function callerWords(caller: Caller): bigint[] {
  return [...words(caller.identity), ...words(caller.connection)]
}

function words(bytes: Uint8Array): bigint[] {
  const buffer = Buffer.from(bytes)
  return Array.from({ length: bytes.length / 8 }, (_, i) => buffer.readBigInt64LE(i * 8))
}

function isSame(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && Buffer.compare(a, b) === 0
}
