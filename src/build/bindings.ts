import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { createTwoFilesPatch } from 'diff'
import { ConfigurationError } from '../errors.ts'
import type { ModuleKind } from '../module/module.ts'
import { isWithin } from '../paths.ts'
import type { Ran, RunProgram } from '../process.ts'
import type { BindingsTarget } from './bindings-list.ts'

/** How generated client code in the repository compares with what the module asks for now. */
export type BindingsState = {
  readonly target: BindingsTarget
  /** Files that differ, in order; none when it is up to date. */
  readonly changes: readonly BindingsChange[]
  /** The CLI's versions, such as `2.8.3 (commit abc)`, when nothing else differs: the code states them. */
  readonly onlyVersion?: { readonly committed: string; readonly generated: string }
  /** What the CLI said when it could not format what it generated: then whole files differ, if what is committed is. */
  readonly unformatted?: string
}

export type BindingsChange = {
  /** From the workspace, with `/`. */
  readonly file: string
  readonly kind: 'missing' | 'changed' | 'left-over'
  /** Unified, from what is there to what is generated; `undefined` when it would take too long to make. */
  readonly diff: string | undefined
}

/** The module that bindings are for, as a file. */
export type BindingsSource = { readonly path: string; readonly kind: ModuleKind }

export type BindingsTools = {
  readonly run: RunProgram
  /** The CLI: a name or a path. */
  readonly cli: string
  /** Of the CLI: without secrets. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Absolute. */
  readonly workspace: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Generates client code and compares it with what is committed. Line ends don't count, because Git changes them on
 * Windows. Files that were written by hand don't either: the CLI leaves them alone. Throws a `ConfigurationError` when the
 * folder lies outside of the workspace, there is no CLI, or the CLI refuses.
 */
export async function compareBindings(
  target: BindingsTarget,
  source: BindingsSource,
  tools: BindingsTools
): Promise<BindingsState> {
  return (await inspect(target, source, tools)).state
}

/**
 * Brings committed client code up to date: what differs is written, what is left over is removed. The answer says what
 * was done. Throws as `compareBindings` does.
 */
export async function writeBindings(
  target: BindingsTarget,
  source: BindingsSource,
  tools: BindingsTools
): Promise<BindingsState> {
  const { state, generated, folder } = await inspect(target, source, tools)
  for (const { file } of state.changes) {
    const path = resolve(tools.workspace, file)
    const text = generated.get(slashed(relative(folder, path)))
    await mkdir(dirname(path), { recursive: true })
    await (text === undefined ? rm(path) : writeFile(path, text))
  }
  return state
}

/** Paths in a folder, with `/`, and what the files hold. */
type Texts = ReadonlyMap<string, string>

type Inspection = { readonly state: BindingsState; readonly generated: Texts; readonly folder: string }

async function inspect(target: BindingsTarget, source: BindingsSource, tools: BindingsTools): Promise<Inspection> {
  const root = await placeOf(target, tools.workspace)
  const within = target.unrealModule === undefined ? [] : ['Source', target.unrealModule]
  const { made, unformatted } = await generate(target, source, root, tools)
  const generated = await textsIn(join(made, ...within)).finally(() => rm(made, { recursive: true, force: true }))
  const folder = join(root, ...within)
  const committed = ofTheCli(await textsIn(folder), generated)
  const names = [...new Set([...generated.keys(), ...committed.keys()])].sort()
  const changes = names.flatMap((name) => {
    const kind = kindOfChange(committed.get(name), generated.get(name))
    if (kind === undefined) return []
    const file = slashed(relative(tools.workspace, join(folder, name)))
    return [{ file, kind, diff: diffOf(file, committed.get(name) ?? '', generated.get(name) ?? '') }]
  })
  const onlyVersion = changes.every(({ kind }) => kind === 'changed') && versionChange(names, committed, generated)
  const state = { target, changes, ...(onlyVersion && { onlyVersion }), ...(unformatted && { unformatted }) }
  return { state, generated, folder }
}

async function placeOf({ folder }: BindingsTarget, workspace: string): Promise<string> {
  const place = resolve(workspace, folder)
  const [existing, root] = await Promise.all([realpathOfExisting(place), realpath(workspace)])
  if (!isWithin(workspace, place) || !isWithin(root, existing)) {
    throw new ConfigurationError(
      `Input \`bindings\`: the folder ${folder} is outside of the workspace. Name one that was checked out there.`
    )
  }
  return place
}

async function realpathOfExisting(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    return realpathOfExisting(dirname(path))
  }
}

/** A client of some hundred tables takes seconds; formatting C# starts .NET. */
const longestGenerate = 5 * 60_000

type Generated = { readonly made: string; readonly unformatted: string | undefined }

/**
 * Generates into a new folder beside the real one, so that the formatters which the CLI starts find the same settings
 * (rustfmt.toml, .editorconfig). It is the caller's to remove.
 */
async function generate(
  { language, options }: BindingsTarget,
  { path, kind }: BindingsSource,
  root: string,
  { run, cli, environment, workspace, signal }: BindingsTools
): Promise<Generated> {
  await mkdir(dirname(root), { recursive: true })
  const made = await mkdtemp(join(dirname(root), `.${basename(root)}-`))
  const output = language === 'unrealcpp' ? '--uproject-dir' : '--out-dir'
  const file = kind === 'wasm' ? '--bin-path' : '--js-path'
  const args = ['generate', '--lang', language, output, made, file, path, '--no-config', ...options]
  try {
    const ran = await run({ program: cli, args, folder: workspace, environment }, { timeout: longestGenerate, signal })
    // It succeeds all the same (crates/cli/src/subcommands/generate.rs).
    if (ran.exitCode === 0)
      return { made, unformatted: /^Could not format generated files: .*$/m.exec(ran.stderr)?.[0] }
    throw new ConfigurationError(`\`${cli} ${args.slice(0, 3).join(' ')}\` ${endOf(ran)}`)
  } catch (error) {
    await rm(made, { recursive: true, force: true })
    throw error
  }
}

function endOf({ exitCode, endedFor, stdout, stderr }: Ran): string {
  if (endedFor === 'timeout') return `took longer than ${longestGenerate / 60_000} minutes.`
  if (endedFor === 'cancelled') return 'was ended, because the job was cancelled.'
  const said = `${stderr}\n${stdout}`.replace(/\nStack backtrace:.*$/s, '').trim()
  return `ended with ${exitCode === undefined ? 'a signal' : `exit code ${exitCode}`}. It said:\n${said.slice(-2000)}`
}

/** What the CLI begins each of its files with; only such files it removes (crates/codegen/src/util.rs). */
const mark = '// THIS FILE IS AUTOMATICALLY GENERATED BY SPACETIMEDB'

/** The files in a folder; none where there is no folder. */
async function textsIn(folder: string): Promise<Texts> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const texts = await Promise.all(
    paths.map(async (path) => [slashed(relative(folder, path)), await readFile(path, 'utf8')] as const)
  )
  return new Map(texts)
}

/** Those of the committed files that the CLI would touch. */
function ofTheCli(committed: Texts, generated: Texts): Texts {
  return new Map([...committed].filter(([name, text]) => generated.has(name) || text.startsWith(mark)))
}

function kindOfChange(
  committed: string | undefined,
  generated: string | undefined
): BindingsChange['kind'] | undefined {
  if (committed === undefined) return 'missing'
  if (generated === undefined) return 'left-over'
  return unified(committed) === unified(generated) ? undefined : 'changed'
}

/** Milliseconds for the difference of one file: it grows with the square of what differs. */
const longestDiff = 1_000

function diffOf(file: string, committed: string, generated: string): string | undefined {
  const options = { context: 3, timeout: longestDiff }
  return createTwoFilesPatch(`a/${file}`, `b/${file}`, unified(committed), unified(generated), '', '', options)
}

const versionLine = /^\/\/ This was generated using spacetimedb cli version (\S+ \(commit [^)]*\))\.$/m

function versionChange(
  names: readonly string[],
  committed: Texts,
  generated: Texts
): BindingsState['onlyVersion'] | undefined {
  const pairs = names.map((name) => [unified(committed.get(name) ?? ''), unified(generated.get(name) ?? '')] as const)
  const differing = pairs.filter(([one, other]) => one !== other)
  const [first] = differing
  if (!first || differing.some(([one, other]) => one.replace(versionLine, '') !== other.replace(versionLine, ''))) {
    return undefined
  }
  const [before, after] = first.map((text) => versionLine.exec(text)?.[1] ?? 'none')
  return { committed: before ?? 'none', generated: after ?? 'none' }
}

function unified(text: string): string {
  return text.replaceAll('\r\n', '\n')
}

function slashed(path: string): string {
  return path.split(sep).join('/')
}
