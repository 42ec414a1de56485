import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { root } from './repository.ts'
import { workflowDocuments } from './workflow-documents.ts'

/**
 * Has all workflows and actions read by actionlint (https://github.com/rhysd/actionlint) and zizmor (https://docs.zizmor.sh,
 * pedantic), which are fetched once: from the Go module proxy and from PyPI. Without Go or Python it says so and fails; with
 * `--short` it says so and goes on.
 */
const versions = { actionlint: 'v1.7.12', zizmor: '1.32.0' }
const { values: options } = parseArgs({ options: { short: { type: 'boolean', default: false } } })
const isWindows = process.platform === 'win32'
const files = workflowDocuments(root).filter(({ file }) => !file.endsWith('.md'))
const workflows = files.filter(({ kind }) => kind === 'workflow')

const results = [lintWithActionlint(), lintWithZizmor()]
process.exitCode = results.every(Boolean) ? 0 : 1

/** It knows no inputs of `org/stdb-actions/*@v1`, so that these are shown to it as what they are: folders of this repository. */
function lintWithActionlint(): boolean {
  const program = fetched(`actionlint-${versions.actionlint}`, (folder) =>
    succeeds('go', ['install', `github.com/rhysd/actionlint/cmd/actionlint@${versions.actionlint}`], { GOBIN: folder })
  )
  if (program === undefined) return unavailable('actionlint', 'Go (https://go.dev/dl)')
  const folder = mkdtempSync(join(tmpdir(), 'workflows-'))
  try {
    succeeds('git', ['init', '--quiet', folder])
    for (const { file, kind, text } of files) {
      write(join(folder, file), text.replace(/org\/stdb-actions\/([a-z-]+)@v1\b/g, './actions/$1'))
      if (kind === 'action') writePrograms(join(folder, file), text)
    }
    const names = workflows.map(({ file }) => file)
    const passed = succeeds(
      join(program, isWindows ? 'actionlint.exe' : 'actionlint'),
      ['-no-color', ...names],
      {},
      folder
    )
    if (passed) console.log(`actionlint finds nothing in ${names.length} workflows.`)
    return passed
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** It looks whether what an action runs is there; what is in it does not matter. */
function writePrograms(file: string, text: string): void {
  const { main, post } = (parse(text) as { runs: { main: string; post?: string } }).runs
  for (const program of [main, post]) if (program !== undefined) write(join(dirname(file), program), '')
}

function lintWithZizmor(): boolean {
  const bin = isWindows ? 'Scripts' : 'bin'
  const program = fetched(`zizmor-${versions.zizmor}`, (folder) => {
    const python = isWindows ? 'python' : 'python3'
    const pip = join(folder, bin, 'python')
    return (
      succeeds(python, ['-m', 'venv', '--copies', folder]) &&
      succeeds(pip, [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--target',
        join(folder, 'packages'),
        `zizmor==${versions.zizmor}`
      ])
    )
  })
  if (program === undefined) return unavailable('zizmor', 'Python 3 with venv')
  const args = ['--offline', '--no-progress', '--persona=pedantic', '--config', '.github/zizmor.yml']
  return succeeds(join(program, 'packages/bin/zizmor'), [...args, ...files.map(({ file }) => file)], {}, root)
}

/** The folder of a tool, which is filled once; `undefined` when that fails. */
function fetched(name: string, fill: (folder: string) => boolean): string | undefined {
  const folder = join(root, 'build/linters', name)
  if (existsSync(folder)) return folder
  console.log(`Fetching ${name} …`)
  const part = `${folder}.part`
  rmSync(part, { recursive: true, force: true })
  mkdirSync(part, { recursive: true })
  if (!fill(part) || readdirSync(part).length === 0) return undefined
  renameSync(part, folder)
  return folder
}

function unavailable(tool: string, needed: string): boolean {
  console.error(`${tool} could not be had: it needs ${needed} and the network. Nothing was checked by it.`)
  return options.short
}

function succeeds(program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}, cwd = root): boolean {
  return spawnSync(program, args, { cwd, stdio: 'inherit', env: { ...process.env, ...environment } }).status === 0
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
