import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import { Failure, readArguments, refused } from './arguments.ts'
import { buildRust } from './cli-build-rust.ts'
import { bundleTypeScript } from './cli-build-typescript.ts'
import { optimise } from './wasm-opt.ts'

const options = {
  'module-path': { type: 'string', short: 'p' },
  'lint-dir': { type: 'string', default: 'src' },
  features: { type: 'string' },
  debug: { type: 'boolean', short: 'd', default: false },
  'dotnet-version': { type: 'string' }
} as const

export type BuildOptions = {
  /** Relative to the project; nothing is looked at without. */
  readonly lintDir: string | undefined
  readonly features: string | undefined
  readonly debug: boolean
}

type Language = 'rust' | 'csharp' | 'typescript' | 'cpp'

/** `build`: the module's path is nowhere printed, as with the real one. */
export async function build(args: readonly string[]): Promise<void> {
  const { values } = readArguments(args, options, 'spacetime build [OPTIONS]')
  const project = values['module-path'] ?? projectIn(process.cwd())
  if (!existsSync(project)) throw new Failure(`Fatal Error: path ${project} does not exist.`)
  if (!statSync(project).isDirectory()) throw new Failure(`Fatal Error: path ${project} exists but is not a directory.`)
  const language = languageOf(project)
  if (values.features !== undefined && language !== 'rust') {
    throw new Failure('The --features option is only supported for Rust modules.')
  }
  const { features, debug } = values
  await buildAs(language, project, { features, debug, lintDir: values['lint-dir'] || undefined })
  console.log('Build finished successfully.')
}

/** Builds a project as `publish` does; the module's path. */
export async function buildToPublish(project: string): Promise<string> {
  const options = { features: undefined, debug: false, lintDir: 'src' }
  const module = await buildAs(languageOf(project), project, options)
  console.log('Build finished successfully.')
  return module
}

/** The module's path: that before it was optimised. */
async function buildAs(language: Language, project: string, options: BuildOptions): Promise<string> {
  if (language === 'typescript') {
    await bundleTypeScript(project)
    return join(project, 'dist/bundle.js')
  }
  const module = language === 'rust' ? await buildRust(project, options) : prebuilt(language, project, options)
  if (!options.debug) await optimise(module)
  return module
}

function projectIn(folder: string): string {
  const found = [join(folder, 'spacetimedb'), folder].find((candidate) => detect(candidate) !== undefined)
  if (found !== undefined) return found
  throw new Failure(
    'Could not find a SpacetimeDB module in spacetimedb/ or the current directory. ' +
      'Use --module-path to specify the module location.'
  )
}

function languageOf(project: string): Language {
  const language = detect(project)
  if (language !== undefined) return language
  throw new Failure('Could not detect the language of the module. Are you in a SpacetimeDB project directory?')
}

/** In the order of `detect_module_language` in crates/cli/src/util.rs. */
function detect(folder: string): Language | undefined {
  if (!existsSync(folder)) return undefined
  const files = readdirSync(folder)
  if (files.includes('Cargo.toml')) return 'rust'
  if (files.some((file) => extname(file) === '.csproj')) return 'csharp'
  if (files.includes('package.json')) return 'typescript'
  return files.includes('CMakeLists.txt') ? 'cpp' : undefined
}

/** Of these languages a stand-in has no compiler: what one has made before is taken as it is. */
function prebuilt(language: 'csharp' | 'cpp', project: string, { debug }: BuildOptions): string {
  const path =
    language === 'cpp'
      ? 'build/lib.wasm'
      : `bin/${debug ? 'Debug' : 'Release'}/net8.0/wasi-wasm/AppBundle/StdbModule.wasm`
  const module = join(project, path)
  if (!existsSync(module))
    throw refused(`it compiles no ${language === 'cpp' ? 'C++' : 'C#'}; put a module at ${module}`)
  if (readFileSync(module).subarray(0, 4).toString('latin1') !== '\0asm')
    throw new Failure(`${module} is no WebAssembly`)
  return module
}
