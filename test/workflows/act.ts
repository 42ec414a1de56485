import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from '../../scripts/repository.ts'
import { messageOf } from '../../src/errors.ts'
import { ask, must } from '../rust/toolchain.ts'

/** The program that runs workflows (https://github.com/nektos/act); or why it is not to be had. */
export type Act =
  | { readonly kind: 'ready'; readonly program: string }
  | { readonly kind: 'missing'; readonly reason: string }

const version = 'v0.2.89'

/** Built once from the Go module proxy, below `build/`; `tell` is told before that is done, since it takes a minute. */
export async function act(tell: (what: string) => void): Promise<Act> {
  const folder = join(root, 'build/act', version)
  const program = join(folder, process.platform === 'win32' ? 'act.exe' : 'act')
  if (existsSync(program)) return { kind: 'ready', program }
  if ((await ask('go', ['version'])) === undefined) {
    return { kind: 'missing', reason: 'Go is not installed, which builds act: https://go.dev/dl' }
  }
  tell(`Building act ${version}, once …`)
  try {
    await build(folder)
    return { kind: 'ready', program }
  } catch (error) {
    return { kind: 'missing', reason: `act could not be built: ${messageOf(error)}` }
  }
}

async function build(folder: string): Promise<void> {
  const work = `${folder}.part`
  await rm(work, { recursive: true, force: true })
  await mkdir(work, { recursive: true })
  await must('go', ['install', `github.com/nektos/act@${version}`], work, { GOBIN: work })
  await rename(work, folder)
}
