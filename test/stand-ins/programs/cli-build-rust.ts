import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from './arguments.ts'
import type { BuildOptions } from './cli-build.ts'
import { run } from './program.ts'

/** Builds a Rust module with cargo, after crates/cli/src/tasks/rust.rs. Answers the module's path. */
export async function buildRust(project: string, { lintDir, features, debug }: BuildOptions): Promise<string> {
  await requireTarget()
  if (lintDir === undefined) {
    console.log('Warning: Skipping checks for nonfunctional print statements.')
    console.log('If you have used builtin macros for printing, such as println!,')
    console.log('your logs will not show up.')
  } else lint(join(project, lintDir))
  const args = [
    'build',
    '--config=net.git-fetch-with-cli=true',
    '--target=wasm32-unknown-unknown',
    ...(debug ? [] : ['--release']),
    ...(features === undefined ? [] : [`--features=${features}`]),
    '--message-format=json-render-diagnostics'
  ]
  const ended = await run('cargo', args, { folder: project, output: 'returned' })
  if (ended === undefined) throw new Failure('No such file or directory (os error 2)')
  if (ended.exitCode !== 0) {
    const command = ['cargo', ...args].map((part) => JSON.stringify(part)).join(', ')
    throw new Failure(`command [${command}] exited with code ${ended.exitCode}`)
  }
  return lastArtifact(ended.stdout)
}

/** Of cargo's messages, the last artifact's first file. */
function lastArtifact(messages: string): string {
  type Message = { reason: string; filenames?: string[] }
  const artifact = messages
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Message)
    .findLast(({ reason }) => reason === 'compiler-artifact')
  if (artifact === undefined) throw new Failure('no artifact found?')
  const [file] = artifact.filenames ?? []
  if (file === undefined) throw new Failure('no wasm?')
  return file
}

const target = 'wasm32-unknown-unknown'

async function requireTarget(): Promise<void> {
  const found = await run('rustc', ['--print', 'target-libdir', '--target', target], { output: 'returned' })
  if (found === undefined) console.error('Error checking for wasm32 target: No such file or directory (os error 2)')
  if (found?.exitCode === 0 && existsSync(found.stdout.trim())) return
  const added = await run('rustup', ['target', 'add', target], { output: 'printed' })
  if (added === undefined) throw new Failure(`${target} target is not installed. Please install it.`)
  if (added.exitCode !== 0) throw new Failure(`Failed to install ${target} target with rustup`)
}

/** Throws when a module's source prints: nobody would ever see it. */
function lint(folder: string): void {
  if (!existsSync(folder))
    throw new Failure(`IO error for operation on ${folder}: No such file or directory (os error 2)`)
  const found = filesIn(folder)
    .filter((file) => file.endsWith('.rs'))
    .flatMap(printsIn)
  if (found.length === 0) return
  console.error(`\nDetected nonfunctional print statements:\n\n${found.join('\n')}\n`)
  throw new Failure(
    `Found ${found.length} disallowed print statement(s).\n` +
      'These will not be printed from SpacetimeDB modules.\n' +
      'If you need to print something, use the `log` crate\n' +
      'and the `log::info!` macro instead.'
  )
}

function filesIn(path: string): string[] {
  if (statSync(path).isFile()) return [path]
  return readdirSync(path).flatMap((name) => filesIn(join(path, name)))
}

/** One entry for each name that stands in a line: `eprintln!` holds `println!` and counts twice, as with the real one. */
function printsIn(file: string): string[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.flatMap((line, index) =>
    ['println!', 'print!', 'eprintln!', 'eprint!', 'dbg!']
      .filter((macro) => line.includes(macro))
      .map(() => `${file}:${index + 1}: ${line}`)
  )
}
