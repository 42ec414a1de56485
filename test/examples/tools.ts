import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from '../../scripts/repository.ts'
import { messageOf } from '../../src/errors.ts'
import { type Ran, runProgram } from '../../src/process.ts'
import { ask, must } from '../rust/toolchain.ts'

/** A program that checks a part of the example: runs it; or why it is not to be had. */
export type Tool =
  | { readonly kind: 'ready'; readonly run: (...args: string[]) => Promise<Ran> }
  | { readonly kind: 'missing'; readonly reason: string }

const store = join(root, 'build/example-tools')

/** Prometheus' promtool: that of this machine, or Debian's, unpacked below `build/` and not installed. */
export function promtool(): Promise<Tool> {
  return toolOf('promtool', ['--version'], async () => {
    const folder = await filled('prometheus', async (work) => {
      await must('apt-get', ['download', 'prometheus'], work)
      for (const file of await readdir(work)) await must('dpkg-deb', ['-x', file, '.'], work)
    })
    return [join(folder, 'usr/bin/promtool')]
  })
}

/** Validates manifests against Kubernetes' own schemas, which this package of PyPI carries. */
export function kubernetesValidate(): Promise<Tool> {
  return provided(async () => {
    const name = 'kubernetes-validate==1.37.0'
    const folder = await filled(name, (work) =>
      must('python3', ['-m', 'pip', 'install', '-q', '--target', '.', name], work)
    )
    return ['env', `PYTHONPATH=${folder}`, 'python3', '-m', 'kubernetes_validate']
  })
}

/** Loads compose files as Docker Compose does, which is built on it. */
export function composeSpec(): Promise<Tool> {
  return provided(async () => {
    const source = 'github.com/compose-spec/compose-go/v2/cmd@v2.16.2'
    const folder = await filled('compose-go-2.16.2', async (work) => {
      await must('env', [`GOBIN=${work}`, 'go', 'install', source], work)
    })
    return [join(folder, 'cmd')]
  })
}

/** The kubectl of this machine: for its `kustomize`, which needs no cluster. */
export function kubectl(): Promise<Tool> {
  return toolOf('kubectl', ['version', '--client'], async () => {
    throw new Error('kubectl is not installed')
  })
}

/** What a tool said, when it was to succeed; throws with it otherwise. */
export async function passing(tool: Tool, ...args: string[]): Promise<string> {
  if (tool.kind === 'missing') throw new Error(tool.reason)
  const { exitCode, stdout, stderr } = await tool.run(...args)
  if (exitCode !== 0) throw new Error(`${args.join(' ')}: exit code ${exitCode}\n${stdout}${stderr}`)
  return stdout
}

async function toolOf(program: string, tried: string[], get: () => Promise<readonly string[]>): Promise<Tool> {
  if ((await ask(program, tried)) !== undefined) return ready([program])
  return provided(get)
}

async function provided(get: () => Promise<readonly string[]>): Promise<Tool> {
  try {
    return ready(await get())
  } catch (error) {
    return { kind: 'missing', reason: messageOf(error) }
  }
}

function ready([program, ...before]: readonly string[]): Tool {
  const run = (...args: string[]) =>
    runProgram({ program: `${program}`, args: [...before, ...args], environment: process.env })
  return { kind: 'ready', run }
}

/** A folder below `build/` that is filled once. */
async function filled(name: string, fill: (work: string) => Promise<unknown>): Promise<string> {
  const folder = join(store, name)
  if (existsSync(folder)) return folder
  const work = `${folder}.part`
  await rm(work, { recursive: true, force: true })
  await mkdir(work, { recursive: true })
  await fill(work)
  await rename(work, folder)
  return folder
}
