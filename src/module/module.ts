import type { ModuleHash } from './hash.ts'

/** `wasm` is WebAssembly, `js` a bundled ES module. */
export type ModuleKind = 'wasm' | 'js'

/** The bytes of a compiled module, as they are published. */
export type Module = {
  readonly bytes: Uint8Array
  readonly hash: ModuleHash
  readonly kind: ModuleKind
}
