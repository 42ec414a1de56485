import { testRustModule } from './rust-module.ts'
import { debianToolchain, installedToolchain } from './toolchain.ts'

const installed = await installedToolchain()
testRustModule(installed.kind === 'ready' ? installed : await debianToolchain())
