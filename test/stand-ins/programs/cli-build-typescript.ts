import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../../../src/errors.ts'
import { Failure, refused } from './arguments.ts'
import { rolldown } from './baked.ts'
import { run } from './program.ts'

type Chunk = { type: string; fileName: string; imports: string[]; exports: string[] }
type Rolldown = { build(options: unknown): Promise<{ output: Chunk[] }> }

/**
 * Checks a TypeScript module with the project's own `tsc` and bundles it into `dist/bundle.js` with rolldown from npm,
 * which the real CLI has inside, with options after crates/cli/src/tasks/javascript.rs. Its versions may differ.
 */
export async function bundleTypeScript(project: string): Promise<void> {
  const folder = realpathSync(project)
  await checkTypes(folder)
  if (rolldown === '') throw refused('it bundles with rolldown, which is not installed in this repository')
  const { build } = (await import(rolldown)) as Rolldown
  const problems: string[] = []
  const { output } = await build(optionsFor(folder, problems)).catch((error: unknown) => {
    throw failed([...problems, messageOf(error)])
  })
  if (problems.length > 0) throw failed(problems)
  checkBundle(output.find(({ fileName }) => fileName === 'bundle.js'))
}

/** What the bundler said is all that is said. */
function failed(problems: readonly string[]): Failure {
  console.error(problems.join('\n'))
  return new Failure('the bundler failed', 1)
}

async function checkTypes(folder: string): Promise<void> {
  const compiler = join(folder, 'node_modules/.bin', process.platform === 'win32' ? 'tsc.cmd' : 'tsc')
  if (!existsSync(compiler)) {
    console.error(
      'tsc not found in node_modules. Make sure you have the `typescript` package ' +
        'as a dev-dependency and that your dependencies are installed.'
    )
    return
  }
  const ended = await run(compiler, ['--noEmit'], { folder, output: 'printed' })
  if (ended?.exitCode !== 0) throw new Failure('tsc failed', ended?.exitCode ?? 1)
}

/** What the bundler warns of is printed, but imports that lead nowhere are `problems`. */
function optionsFor(folder: string, problems: string[]) {
  return {
    input: './src/index.ts',
    cwd: folder,
    external: /^spacetime:sys.*/,
    platform: 'browser',
    resolve: {
      conditionNames: ['production', 'import', 'default'],
      mainFields: ['exports', 'module', 'main'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.cjs', '.json']
    },
    tsconfig: existsSync(join(folder, 'tsconfig.json')) ? join(folder, 'tsconfig.json') : false,
    onLog: (level: string, { code, message }: { code?: string; message: string }) => {
      if (code !== 'UNRESOLVED_IMPORT') console.error(`[${level}] ${message}`)
      else problems.push(message, 'You may have forgotten to install dependencies with your package manager.')
    },
    output: {
      file: './dist/bundle.js',
      format: 'esm',
      exports: 'named',
      sourcemap: 'inline',
      comments: { legal: false }
    }
  }
}

function checkBundle(bundle: Chunk | undefined): void {
  const majors = (bundle?.imports ?? []).flatMap((name) => /^spacetime:sys@(\d+)\.\d+$/.exec(name)?.[1] ?? [])
  if (bundle === undefined || majors.length === 0) {
    throw new Failure(
      "Your module doesn't import the `spacetimedb/server` package at all - this is likely a mistake, as your module " +
        'will not be able to interface with the SpacetimeDB host.'
    )
  }
  if (new Set(majors).size > 1) {
    throw new Failure('The module pulls in 2 different versions of the `spacetimedb/server` package')
  }
  if (majors[0] === '2' && !bundle.exports.includes('default')) {
    throw new Failure("It seems like you haven't exported your schema. You must `export default schema(...);`")
  }
}
