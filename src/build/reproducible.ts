import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { isWithin } from '../paths.ts'
import { rustFlags } from './cargo-config.ts'
import { cargoHomeOf } from './cargo-home.ts'
import type { Job } from './job.ts'

/** What Rust modules are compiled for. */
export const wasmTarget = 'wasm32-unknown-unknown'

/** The names that are compiled in instead of folders of this machine. */
export const remappedNames = { workspace: '/workspace', cargoHome: '/cargo' }

/**
 * The variables by which two checkouts give the same bytes: rustc is told to write other names for the workspace, for
 * cargo's home (the sources of crates) and for the standard library's sources, which it names by their path where they
 * are installed. They are added to the flags that the user has set, wherever that is. `targetFolder` is cargo's.
 */
export async function reproducibleVariables(job: Job, targetFolder: string): Promise<Record<string, string>> {
  const { environment, project, tools } = job
  const rustc = environment.RUSTC ?? 'rustc'
  const [sysroot, about, cfg] = await Promise.all([
    job.ask(rustc, ['--print', 'sysroot']),
    job.ask(rustc, ['-vV']),
    job.ask(rustc, ['--print', 'cfg', '--target', wasmTarget])
  ])
  const cargoHome = cargoHomeOf(environment)
  const flags = await rustFlags({
    folder: project.folder,
    cargoHome,
    environment,
    target: wasmTarget,
    cfg: (cfg ?? '').split('\n').map((line) => line.trim())
  })
  const commit = /^commit-hash: (\w+)/m.exec(about ?? '')?.[1] ?? 'unknown'
  // Of several that fit, rustc takes the last.
  const remapped = [
    ...(isWithin(tools.workspace, targetFolder) ? [] : [[targetFolder, `${remappedNames.workspace}/target`]]),
    [tools.workspace, remappedNames.workspace],
    [cargoHome, remappedNames.cargoHome],
    ...(sysroot === undefined ? [] : [[join(sysroot, 'lib', 'rustlib', 'src', 'rust'), `/rustc/${commit}`]])
  ]
  const added = await Promise.all(remapped.map(([folder, name]) => flagsFor(`${folder}`, `${name}`)))
  return { CARGO_ENCODED_RUSTFLAGS: [...flags, ...added.flat()].join('\u001f') }
}

/** Cargo names a folder as it is called, or as it really is where links lead to it. */
async function flagsFor(folder: string, name: string): Promise<string[]> {
  const real = await realpath(folder).catch(() => folder)
  return [...new Set([folder, real])].map((each) => `--remap-path-prefix=${each}=${name}`)
}
