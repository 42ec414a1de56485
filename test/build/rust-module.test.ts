import { testRustModule } from '../rust/rust-module.ts'
import { installedToolchain } from '../rust/toolchain.ts'

/** Where Rust can't build modules, `npm run test:rust` fetches what is missing. */
testRustModule(await installedToolchain())
