/** The part of Node's WebAssembly that is used here: TypeScript declares it only together with the DOM. */
export type WasmModule = { readonly brand: 'WasmModule' }

export type WasmMemory = { readonly buffer: ArrayBuffer }

export type WasmEntry = { readonly module: string; readonly name: string; readonly kind: string }

export const webAssembly = (globalThis as unknown as { WebAssembly: WasmApi }).WebAssembly

type WasmApi = {
  readonly Module: {
    new (bytes: Uint8Array): WasmModule
    imports(module: WasmModule): WasmEntry[]
    exports(module: WasmModule): Omit<WasmEntry, 'module'>[]
  }
  readonly Instance: new (module: WasmModule, imports: object) => { readonly exports: unknown }
}
