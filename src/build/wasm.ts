import { readFile, rm } from 'node:fs/promises'
import { messageOf } from '../errors.ts'
import { ProgramMissing } from '../process.ts'
import { endOf, type Job } from './job.ts'

/**
 * Makes a module smaller and faster by wasm-opt, with the options of the CLI, when it is installed. Answers the file that
 * is the module from then on: without wasm-opt, and where it fails, the same.
 */
export async function optimise(job: Job, file: string): Promise<string> {
  const optimised = optimisedName(file)
  await rm(optimised, { force: true })
  try {
    const ran = await job.run('wasm-opt', ['-all', '-g', '-O2', file, '-o', optimised])
    if (ran.exitCode === 0) {
      await job.noteVersion('wasm-opt')
      return optimised
    }
    job.say(`${endOf('wasm-opt', ran)} The module is left as it is.`)
  } catch (error) {
    if (!(error instanceof ProgramMissing)) throw error
    job.say('wasm-opt is not installed: the module is left as it is. With it, modules are smaller and faster.')
  }
  await rm(optimised, { force: true })
  return file
}

/** What the CLI calls it: `game.opt.wasm` for `game.wasm`. */
export function optimisedName(file: string): string {
  return file.replace(/\.wasm$/, '.opt.wasm')
}

/** What is used here of Node's; the types of Node declare none of it. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    compile(bytes: Uint8Array): Promise<object>
    readonly Module: {
      imports(module: object): readonly { readonly module: string; readonly name: string }[]
      exports(module: object): readonly { readonly name: string }[]
    }
  }
}

/**
 * Why no server would take a module, where a crate for browsers is the reason: wasm-bindgen, or getrandom, which needs a
 * source of randomness that there is none of. `undefined` for any other module.
 */
export async function foreignImports(file: string): Promise<string | undefined> {
  let module: object
  try {
    module = await WebAssembly.compile(await readFile(file))
  } catch (error) {
    return `What was built is not valid WebAssembly: ${messageOf(error)}`
  }
  const imports = WebAssembly.Module.imports(module)
  const names = [
    ...imports.flatMap((each) => [each.module, each.name]),
    ...WebAssembly.Module.exports(module).map((each) => each.name)
  ]
  if (names.some((name) => name.startsWith('__wbindgen'))) return wasmBindgen
  if (imports.some(({ name }) => name === '__getrandom_custom')) return getrandom
  return undefined
}

const wasmBindgen =
  'The module needs wasm-bindgen, which is for browsers: a server has no such functions. Find the crate that brings it by ' +
  '`cargo tree -i wasm-bindgen`, and turn off its feature `js`, `web` or `wasm-bindgen`.'

const getrandom =
  'The module needs getrandom, which has no source of randomness on a server. Use `ctx.rng()` instead of `rand::random()` ' +
  'and `rand::thread_rng()`. If a dependency brings it (`cargo tree -i getrandom`), see whether it takes an `Rng` of yours.'
