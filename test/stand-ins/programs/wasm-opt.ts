import { run } from './program.ts'

/** Optimises a module beside itself, as `NAME.opt.wasm`, when there is a `wasm-opt`; a module that can't be is kept. */
export async function optimise(module: string): Promise<void> {
  console.error('Optimising module with wasm-opt...')
  const optimised = module.replace(/\.wasm$/, '.opt.wasm')
  const ended = await run('wasm-opt', ['-all', '-g', '-O2', module, '-o', optimised], { output: 'printed' })
  if (ended?.exitCode === 0) return
  if (ended === undefined) {
    console.error('Could not find wasm-opt to optimise the module.')
    console.error('For best performance install wasm-opt from https://github.com/WebAssembly/binaryen/releases.')
  } else {
    console.error(`Failed to optimise module with wasm-opt: command ["wasm-opt", …] exited with code ${ended.exitCode}`)
  }
  console.error('Continuing with unoptimised module.')
}
