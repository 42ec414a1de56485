import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { root } from '../../scripts/repository.ts'
import { ProgramMissing, runProgram } from '../../src/process.ts'

/** What building Rust modules needs here besides cargo: variables; or why they can't be built. */
export type Toolchain =
  | {
      readonly kind: 'ready'
      readonly name: string
      readonly environment: Readonly<Record<string, string | undefined>>
    }
  | { readonly kind: 'missing'; readonly reason: string }

/** The Rust of this machine, when it has a standard library for wasm32. */
export async function installedToolchain(): Promise<Toolchain> {
  const libraries = await ask('rustc', ['--print', 'target-libdir', '--target', 'wasm32-unknown-unknown'])
  if (libraries === undefined) return { kind: 'missing', reason: 'Rust is not installed' }
  if (existsSync(libraries)) return { kind: 'ready', name: libraries, environment: process.env }
  return { kind: 'missing', reason: 'the target wasm32-unknown-unknown is not installed (`rustup target add` does it)' }
}

/**
 * Debian's compiler, with whose sources cargo builds the standard library: for machines where rustup can't download one.
 * It is downloaded by apt-get and unpacked below `build/`, not installed, since it excludes rustup's when it is. The cargo
 * of this machine is used.
 */
export async function debianToolchain(): Promise<Toolchain> {
  const linker = await rustLld()
  if (linker === undefined) return { kind: 'missing', reason: 'there is no rustup, whose rust-lld links the module' }
  const version = /^Version: (.*)$/m.exec(
    (await ask('apt-cache', ['show', '--no-all-versions', 'rustc-web'])) ?? ''
  )?.[1]
  if (version === undefined)
    return { kind: 'missing', reason: 'there is no package rustc-web (Debian; run `apt-get update`)' }
  const folder = join(root, 'build/debian-rust', version.replace(/[^\w.+~-]/g, '_'))
  if (!existsSync(folder)) await unpack(folder)
  return {
    kind: 'ready',
    name: `Debian's ${version}`,
    environment: {
      ...process.env,
      PATH: [join(folder, 'bin'), process.env.PATH].join(delimiter),
      RUSTC: join(folder, 'bin/rustc'),
      RUSTC_BOOTSTRAP: '1',
      CARGO_UNSTABLE_BUILD_STD: 'std,panic_abort',
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: linker
    }
  }
}

async function rustLld(): Promise<string | undefined> {
  const [sysroot, about] = await Promise.all([ask('rustc', ['--print', 'sysroot']), ask('rustc', ['-vV'])])
  const host = /^host: (.*)$/m.exec(about ?? '')?.[1]
  const path = join(`${sysroot}`, 'lib/rustlib', `${host}`, 'bin/rust-lld')
  return existsSync(path) ? path : undefined
}

async function unpack(folder: string): Promise<void> {
  const work = `${folder}.part`
  await rm(work, { recursive: true, force: true })
  await mkdir(join(work, 'bin'), { recursive: true })
  await must('apt-get', ['download', ...(await packages())], work)
  for (const file of await readdir(work)) {
    if (file.endsWith('.deb')) await must('dpkg-deb', ['-x', file, '.'], work).then(() => rm(join(work, file)))
  }
  // Where rustc says that the target's library would be: cargo builds it instead.
  await mkdir(join(work, 'usr/lib/rustlib/wasm32-unknown-unknown/lib'), { recursive: true })
  const script =
    '#!/bin/sh\nhere=$(dirname "$(dirname "$0")")\nLD_LIBRARY_PATH="$here/usr/lib/x86_64-linux-gnu" exec "$here/usr/bin/rustc" "$@"\n'
  await writeFile(join(work, 'bin/rustc'), script)
  await chmod(join(work, 'bin/rustc'), 0o755)
  await rename(work, folder)
}

/** The compiler, its libraries in their own versions, and the sources of the standard library. */
async function packages(): Promise<string[]> {
  const development = 'libstd-rust-web-dev'
  const library = (await dependencies(development)).find((name) => name.startsWith('libstd-rust-web-'))
  const llvm = (await dependencies(`${library}`)).find((name) => name.startsWith('libllvm'))
  return ['rustc-web', development, 'rust-web-src', `${library}`, `${llvm}`]
}

async function dependencies(name: string): Promise<string[]> {
  const shown = await ask('apt-cache', ['show', '--no-all-versions', name])
  const depends = /^Depends: (.*)$/m.exec(shown ?? '')?.[1] ?? ''
  return depends.split(', ').map((each) => each.replace(/ .*/, ''))
}

/** What a program prints, without white space around it; `undefined` when it fails or is not there. */
export async function ask(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { exitCode, stdout } = await runProgram({ program, args, environment: process.env })
    return exitCode === 0 ? stdout.trim() : undefined
  } catch (error) {
    if (error instanceof ProgramMissing) return undefined
    throw error
  }
}

/** Runs a program in a folder, with variables on top of this process's, and throws with what it complained about. */
export async function must(
  program: string,
  args: readonly string[],
  folder: string,
  variables: Readonly<Record<string, string>> = {}
): Promise<void> {
  const { exitCode, stderr } = await runProgram({
    program,
    args,
    folder,
    environment: { ...process.env, ...variables }
  })
  if (exitCode !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${stderr}`)
}
