import { cp, mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BuildRequest, type BuildResult, buildModule } from '../../src/build/build.ts'
import { defaultBuildOptions } from '../../src/build/options.ts'
import { projectAt } from '../../src/build/project.ts'
import { runProgram } from '../../src/process.ts'

export const projects = join(import.meta.dirname, '../fixtures/projects')

/** Puts a project of the fixtures somewhere else, its sources alone. */
export function copyProject(name: string, to: string): Promise<void> {
  return cp(join(projects, name), to, {
    recursive: true,
    filter: (path) => !/\/(node_modules|target|dist)$/.test(path)
  })
}

/** What a project of the fixtures declares, as written beside it. */
export async function expectedSchema(name: string): Promise<unknown> {
  return JSON.parse(await readFile(join(projects, name, 'schema.json'), 'utf8'))
}

export type Building = Partial<Pick<BuildRequest, 'builder' | 'cli' | 'options'>> & {
  /** The whole repository; the project's folder without it. */
  readonly workspace?: string
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal
}

/** Builds a project as an action would, and keeps what was said. */
export async function build(folder: string, building: Building = {}): Promise<BuildResult & { readonly said: string }> {
  const { workspace = folder, environment = process.env, builder = 'toolchain', cli, signal } = building
  const said: string[] = []
  const result = await buildModule(
    {
      project: await projectAt(folder, workspace, `\`${folder}\``),
      options: building.options ?? defaultBuildOptions,
      builder,
      cli
    },
    {
      run: runProgram,
      environment,
      workspace,
      scratch: await mkdtemp(join(tmpdir(), 'stdb-scratch-')),
      say: (line) => said.push(line),
      signal
    }
  )
  return { ...result, said: said.join('\n') }
}
