import { realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import * as z from 'zod'
import { ConfigurationError } from '../errors.ts'
import { ProgramMissing } from '../process.ts'
import type { SourceFolders } from './complaints.ts'
import type { Job } from './job.ts'
import { remappedNames, wasmTarget } from './reproducible.ts'

/** What cargo says of a project. Paths are absolute. */
export type RustProject = {
  readonly manifest: string
  /** Where cargo builds; settings may have moved it. */
  readonly targetFolder: string
  /** rustc names sources from here. */
  readonly workspaceRoot: string
  /** Without it nothing that can be published is made. */
  readonly cdylib: string
}

/** https://doc.rust-lang.org/cargo/commands/cargo-metadata.html#json-format */
const metadataSchema = z.object({
  target_directory: z.string(),
  workspace_root: z.string(),
  packages: z.array(
    z.object({
      name: z.string(),
      manifest_path: z.string(),
      targets: z.array(z.object({ name: z.string(), crate_types: z.array(z.string()) }))
    })
  )
})

export type RustProjectRead =
  | { readonly kind: 'read'; readonly project: RustProject }
  | { readonly kind: 'refused'; readonly reason: string }

/**
 * Asks cargo about the project of a job. Throws a `ConfigurationError` when there is no cargo, and when the crate is no
 * `cdylib`; what cargo itself refuses is an answer.
 */
export async function readRustProject(job: Job): Promise<RustProjectRead> {
  const { exitCode, stdout, stderr } = await job
    .run('cargo', ['metadata', '--format-version=1', '--no-deps'], { quiet: true })
    .catch((error) => Promise.reject(withoutCargo(error)))
  if (exitCode !== 0)
    return { kind: 'refused', reason: `cargo can't read the project: ${stripVTControlCharacters(stderr).trim()}` }
  const metadata = metadataSchema.parse(JSON.parse(stdout))
  const manifest = await realpath(join(job.project.folder, 'Cargo.toml'))
  const own = metadata.packages.find(({ manifest_path }) => manifest_path === manifest)
  const library = own?.targets.find(({ crate_types }) => crate_types.includes('cdylib'))
  if (library === undefined) throw new ConfigurationError(noCdylib(own?.name))
  return {
    kind: 'read',
    project: {
      manifest,
      targetFolder: metadata.target_directory,
      workspaceRoot: metadata.workspace_root,
      cdylib: library.name.replaceAll('-', '_')
    }
  }
}

function noCdylib(name = 'in the folder'): string {
  return (
    `The crate ${name} makes no WebAssembly module: its \`crate-type\` is not \`cdylib\`. Put this into its Cargo.toml: ` +
    '`[lib]` and below it `crate-type = ["cdylib"]`. The library is src/lib.rs.'
  )
}

function withoutCargo(error: unknown): unknown {
  if (!(error instanceof ProgramMissing)) return error
  return new ConfigurationError(
    'Rust is not installed: `cargo` was not found in PATH. GitHub-hosted runners have it; elsewhere install it by ' +
      'https://rustup.rs in an earlier step.'
  )
}

/** Where cargo puts the module. */
export function moduleFile({ targetFolder, cdylib }: RustProject, debug: boolean): string {
  return join(targetFolder, wasmTarget, debug ? 'debug' : 'release', `${cdylib}.wasm`)
}

/** Where rustc's places are. */
export function rustSources(job: Job, { workspaceRoot, manifest }: RustProject): SourceFolders {
  return {
    workspace: job.tools.workspace,
    bases: [workspaceRoot, dirname(manifest), job.tools.workspace],
    remapped: { [remappedNames.workspace]: job.tools.workspace }
  }
}
