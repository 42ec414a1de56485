import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'

/** A request that was sent to a real server, with its answer (test/fixtures/README.md). */
export type Recording = {
  /** The file's name without `.json`: a number that gives the order, and the case. */
  readonly id: string
  readonly case: string
  readonly note?: string
  readonly request: {
    readonly method: string
    /** With the query. */
    readonly path: string
    /** Whose token was sent; nobody's when absent. */
    readonly as?: string
    readonly headers?: Readonly<Record<string, string>>
    /** The body, unless it is a module. */
    readonly body?: string
    /** The module that was the body, a name for `fixtureModule`. */
    readonly module?: string
  }
  readonly response: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
  }
}

/** A WebSocket connection to a real server, from its beginning to its end (test/fixtures/README.md). */
export type WebSocketRecording = {
  readonly name: string
  readonly database: string
  readonly protocol: string
  /** What follows the path, with its question mark. */
  readonly query: string
  /** Whose token was sent. */
  readonly as: 'owner' | 'anonymous'
  readonly exchange: readonly (
    | { readonly sent: unknown }
    | { readonly received: unknown }
    | { readonly closed: number; readonly reason: string }
    | { readonly refused: number; readonly body: string }
  )[]
}

export type MatrixAnswer = { readonly status: number; readonly body: unknown }

/** One module replacing another on a real server (test/fixtures/README.md). */
export type MatrixCase = {
  readonly id: string
  readonly group: string
  readonly change: string
  readonly direction: 'forward' | 'backward'
  /** `base.wasm`: a name for `matrixModule` and `matrixSchema`. */
  readonly from: string
  readonly to: string
  readonly withRows: boolean
  /** How often `fill` was called before. */
  readonly rows: number
  readonly plan: MatrixAnswer
  readonly verdict: 'none' | 'auto' | 'auto+breaking' | 'manual'
  readonly publishCompatible: MatrixAnswer
  readonly publishWithToken?: MatrixAnswer
  readonly applies: boolean
  readonly outcome: 'none' | 'auto' | 'auto+breaking' | 'manual' | 'fails-at-apply'
  /** The right ones among the verdicts of src/migration/verdict.ts. */
  readonly expected: readonly string[]
  /** Whether it depends on the data. */
  readonly conditional: boolean
  readonly note?: string
  readonly rowsAfter?: Readonly<Record<string, unknown>>
  readonly next?: { readonly verdict: string; readonly publish: MatrixAnswer }
  readonly andBack?: {
    readonly verdict: string
    readonly reason?: unknown
    readonly publishWithToken?: MatrixAnswer
    readonly rowsAfter?: Readonly<Record<string, unknown>>
  }
  readonly afterRefusal?: Readonly<Record<string, unknown>>
}

/** The path of a file of test/fixtures. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))
}

/** A module of test/fixtures/modules: `counter.wasm`, `hostile/loop.wasm`. */
export function fixtureModule(name: string): Uint8Array {
  return cached(`modules/${name}`, () => new Uint8Array(readFileSync(fixturePath(`modules/${name}`))))
}

/** The exchanges with a real server, in the order in which they happened. */
export function recordings(): readonly Recording[] {
  return cached('recordings', () =>
    readdirSync(fixturePath('http'))
      .sort()
      .map((file) => ({
        id: file.replace(/\.json$/, ''),
        ...JSON.parse(readFileSync(fixturePath(`http/${file}`), 'utf8'))
      }))
  )
}

/** The WebSocket connections to a real server, in their order. */
export function webSocketRecordings(): readonly WebSocketRecording[] {
  return cached('WebSocket recordings', () => JSON.parse(readFileSync(fixturePath('websocket.json'), 'utf8')))
}

/** The migrations that a real server was asked to do. */
export function matrixCases(): readonly MatrixCase[] {
  return cached('matrix cases', () => JSON.parse(matrixText('matrix.json')))
}

/** The names of the matrix's modules, without `.wasm`. */
export function matrixNames(): readonly string[] {
  return [...matrixFiles().keys()].flatMap((path) => /^wasm\/(.+)\.wasm$/.exec(path)?.[1] ?? [])
}

/** A module of the matrix: `base` or `base.wasm`. */
export function matrixModule(name: string): Uint8Array {
  return matrixFile(`wasm/${bare(name)}.wasm`)
}

/** The Rust source of a matrix module: `base` or `base.wasm`. */
export function matrixSource(name: string): string {
  return matrixText(`src/${bare(name)}.rs`)
}

/** What the real server answered for a matrix module's schema, parsed: `base` or `base.wasm`. */
export function matrixSchema(name: string, version: 9 | 10): unknown {
  return JSON.parse(matrixText(`schemas/${bare(name)}.v${version}.json`))
}

const cache = new Map<string, unknown>()

function cached<Value>(key: string, load: () => Value): Value {
  if (!cache.has(key)) cache.set(key, load())
  return cache.get(key) as Value
}

function bare(name: string): string {
  return name.replace(/\.wasm$/, '')
}

function matrixText(path: string): string {
  return new TextDecoder().decode(matrixFile(path))
}

function matrixFile(path: string): Uint8Array {
  const bytes = matrixFiles().get(path)
  if (bytes === undefined) throw new Error(`test/fixtures/matrix.tar.br has no ${path}`)
  return bytes
}

function matrixFiles(): ReadonlyMap<string, Uint8Array> {
  return cached('matrix files', () => untar(brotliDecompressSync(readFileSync(fixturePath('matrix.tar.br')))))
}

/** The plain files of a tar in ustar format: headers and contents in blocks of 512 bytes. */
function untar(tar: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const text = (from: number, length: number) =>
      new TextDecoder().decode(tar.subarray(at + from, at + from + length)).replace(/\0.*$/s, '')
    const size = Number.parseInt(text(124, 12), 8)
    if (text(156, 1) === '0') files.set(text(0, 100), tar.subarray(at + 512, at + 512 + size))
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}
