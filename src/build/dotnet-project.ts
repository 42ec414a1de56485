import { join } from 'node:path'

/** How C# becomes WebAssembly: by the interpreter of .NET 8, or compiled ahead of time (crates/cli/src/tasks/csharp.rs). */
export type DotnetWay = { readonly framework: 'net8.0' | 'net10.0'; readonly aheadOfTime: boolean }

/** Where the module of a C# project may be; `bin~` is what Unity leaves alone. */
export function dotnetModuleFiles(folder: string, debug: boolean, way?: DotnetWay): string[] {
  const configuration = debug ? 'Debug' : 'Release'
  const ways: readonly DotnetWay[] = way ? [way] : allWays
  return ways.flatMap(({ framework, aheadOfTime }) =>
    ['bin', 'bin~'].flatMap((bin) => {
      const output = join(folder, bin, configuration, framework)
      return aheadOfTime
        ? [join(output, 'wasi-wasm', 'native', name), join(output, 'native', name)]
        : [join(output, 'wasi-wasm', 'AppBundle', name)]
    })
  )
}

const name = 'StdbModule.wasm'

const allWays: readonly DotnetWay[] = [
  { framework: 'net8.0', aheadOfTime: false },
  { framework: 'net8.0', aheadOfTime: true },
  { framework: 'net10.0', aheadOfTime: true }
]
