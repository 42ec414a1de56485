import { type WasmMemory, webAssembly } from '../embedded/webassembly.ts'

/**
 * What a WebAssembly module that can be trusted writes to describe itself. In this process, for tests that need many:
 * `describeModule` starts a process for each.
 */
export function definitionOf(bytes: Uint8Array): Uint8Array {
  const module = new webAssembly.Module(bytes)
  const written: Uint8Array[] = []
  const imports: Record<string, Record<string, () => number>> = {}
  for (const { module: from, name } of webAssembly.Module.imports(module)) {
    imports[from] = { ...imports[from], [name]: () => 0 }
  }
  const write = (_: number, at: number, lengthAt: number) => {
    const { buffer } = exports.memory as WasmMemory
    written.push(new Uint8Array(buffer.slice(at, at + new DataView(buffer).getUint32(lengthAt, true))))
    return 0
  }
  const instance = new webAssembly.Instance(module, {
    ...imports,
    'spacetime_10.0': { ...imports['spacetime_10.0'], bytes_sink_write: write }
  })
  const exports = instance.exports as Record<string, unknown>
  const functions = exports as Record<string, (sink?: number) => void>
  const preparations = Object.keys(exports).filter((name) => name.startsWith('__preinit__'))
  for (const name of preparations.sort()) functions[name]?.()
  functions.__describe_module__?.(1)
  return Buffer.concat(written)
}
