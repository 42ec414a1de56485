import { code, codeBlock, escapeMarkdown, quote, sections, table } from '../markdown.ts'
import type { Schema } from '../module/schema.ts'
import { languageName } from '../module-language.ts'
import type { BindingsState } from './bindings.ts'
import type { BuildFailed } from './build.ts'
import type { Complaint } from './complaint.ts'
import type { ProducedModule } from './produce.ts'

/** What is said of a module that was built. */
export type ModuleReport = {
  readonly module: ProducedModule
  readonly artifact?: { readonly name: string; readonly id: number; readonly digest: string }
  /** `undefined` where nobody compares. */
  readonly comparison?: Comparison
  /** What became of the cache of dependencies, in a few words. */
  readonly cache: string
  readonly bindings: readonly BindingsState[]
  /** Whether stale bindings were written; else they are an error. */
  readonly bindingsMode: 'check' | 'write'
}

/** The module that the base branch built last. */
export type Comparison =
  | {
      readonly kind: 'base'
      readonly branch: string
      readonly commit: string
      /** In bytes. */
      readonly size: number
      readonly hash: string
    }
  | { readonly kind: 'none'; readonly reason: string }

/** The part of the job summary about a module that was built, as Markdown. */
export function renderModule(report: ModuleReport): string {
  const { module, bindings, bindingsMode } = report
  const stale = bindings.filter(({ changes }) => changes.length > 0)
  const isError = stale.length > 0 && bindingsMode === 'check'
  return sections([
    isError
      ? `## ❌ ${code(module.manifest.module.file)} was built, but bindings are stale`
      : `## 📦 Built ${code(module.manifest.module.file)}`,
    renderFacts(report),
    renderSchema(module.schema),
    ...bindings.map((state) => renderBindings(state, bindingsMode)),
    renderComplaints(module.built.complaints)
  ])
}

/** The part of the job summary about a build that failed, as Markdown. `name` is that of the project. */
export function renderFailure(name: string, { reason, complaints, output }: BuildFailed): string {
  return sections([
    `## ❌ ${code(name)} could not be built`,
    quote(reason),
    renderComplaints(complaints),
    output.trim() && folded('The last lines of the build', codeBlock(output))
  ])
}

function renderFacts({ module: { manifest }, artifact, comparison, cache }: ModuleReport): string {
  const { module, language, builder, bindingsVersion, versions, databases } = manifest
  const rows: (readonly [string, string | undefined])[] = [
    ['Size', `${bytes(module.size)}${changeText(module, comparison)}`],
    ['Hash (keccak256)', code(module.hash)],
    ['SHA-256', code(module.sha256)],
    ['Language', `${languageName(language)}${bindingsVersion ? `, bindings ${escapeMarkdown(bindingsVersion)}` : ''}`],
    ['Built by', builder === 'cli' ? `${code('spacetime build')}` : "the language's own tools"],
    ['Programs', Object.values(versions).map(escapeMarkdown).join('<br>') || undefined],
    ['Project', code(manifest.project)],
    ['For', databases.map(({ name }) => code(name)).join(', ') || undefined],
    ['Artifact', artifact && `${code(artifact.name)} (id ${artifact.id}, ${code(artifact.digest)})`],
    ['Dependencies', escapeMarkdown(cache)],
    ['Not compared', comparison?.kind === 'none' ? escapeMarkdown(comparison.reason) : undefined]
  ]
  const known = rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  return table(known[0] ?? [], known.slice(1))
}

function changeText(
  module: { readonly size: number; readonly hash: string },
  comparison: Comparison | undefined
): string {
  if (comparison === undefined || comparison.kind === 'none') return ''
  const { branch, commit, size, hash } = comparison
  const base = `${code(branch)} (${code(commit.slice(0, 7))})`
  if (hash === module.hash) return `, the very module of ${base}`
  const change = module.size - size
  if (change === 0) return `, as in ${base}`
  const percent = ((change / size) * 100).toFixed(1).replace('-', '−')
  return `, ${change > 0 ? `+${bytes(change)}` : `−${bytes(-change)}`} (${change > 0 ? '+' : ''}${percent} %) against ${base}`
}

function bytes(count: number): string {
  return `${count.toLocaleString('en-US')} bytes`
}

function renderSchema({ tables, reducers, views, procedures }: Schema): string {
  const lists: readonly (readonly [string, readonly { readonly name: string }[]])[] = [
    ['Tables', tables],
    ['Reducers', reducers],
    ['Views', views],
    ['Procedures', procedures]
  ]
  const rows = lists.map(([title, items]) => [
    title,
    `${items.length}`,
    namesText(items.map(({ name }) => name).sort())
  ])
  const long = lists.filter(([, items]) => items.length > mostNames)
  return sections([
    table(['Module', 'Number', 'Names'], rows, ['l', 'r', 'l']),
    ...long.map(([title, items]) => folded(`All ${items.length} ${title.toLowerCase()}`, listText(items)))
  ])
}

/** How many names there are in a row; all of them are folded below. */
const mostNames = 12

function namesText(names: readonly string[]): string {
  const shown = names.slice(0, mostNames).map(code).join(', ')
  return names.length > mostNames ? `${shown} and ${names.length - mostNames} more` : shown || '–'
}

function listText(items: readonly { readonly name: string }[]): string {
  return items
    .map(({ name }) => name)
    .sort()
    .map(code)
    .join(', ')
}

function renderBindings({ target, changes, onlyVersion, unformatted }: BindingsState, mode: 'check' | 'write'): string {
  const name = `${code(target.folder)} (${target.language})`
  if (changes.length === 0) return `**Bindings** in ${name} are up to date.`
  return sections([
    `### ${mode === 'check' ? `❌ Bindings in ${name} are stale` : `✏️ Bindings in ${name} were written`}`,
    onlyVersion &&
      `Only the version of the CLI that made them differs: ${escapeMarkdown(onlyVersion.committed)} is committed, ` +
        `${escapeMarkdown(onlyVersion.generated)} is used here. Use the same for both.`,
    unformatted && `The CLI said: ${escapeMarkdown(unformatted)}. Files that were formatted differ as a whole.`,
    mode === 'check' ? checkAdvice : writeAdvice,
    table(
      ['File', 'What'],
      changes.slice(0, mostFiles).map(({ file, kind }) => [code(file), changeTexts[mode][kind]])
    ),
    changes.length > mostFiles && `_${changes.length - mostFiles} files more._`,
    folded('The differences', diffBlock(changes))
  ])
}

const mostFiles = 50

const checkAdvice =
  'Run `spacetime generate` with the CLI of this version and commit what it writes, or use `bindings-mode: write` in a ' +
  'workflow that commits it.'
const writeAdvice = 'They lie in the workspace; a later step has to commit them.'

const changeTexts = {
  check: { missing: 'is missing', changed: 'differs', 'left-over': 'is of something that the module no longer has' },
  write: { missing: 'added', changed: 'changed', 'left-over': 'removed' }
} as const

/** Characters of differences: a summary holds a megabyte, and nobody reads that. */
const longestDiff = 30_000

function diffBlock(changes: BindingsState['changes']): string {
  const whole = changes.map(({ file, diff }) => diff ?? `${file}: too different to be shown\n`).join('')
  if (whole.length <= longestDiff) return codeBlock(whole, 'diff')
  const end = whole.lastIndexOf('\n', longestDiff)
  return `${codeBlock(whole.slice(0, end), 'diff')}\n\n_${whole.length - end} characters more were cut._`
}

function renderComplaints(complaints: readonly Complaint[]): string | undefined {
  if (complaints.length === 0) return undefined
  const rows = complaints
    .slice(0, mostComplaints)
    .map(({ severity, message, code: name, place }) => [
      severity === 'error' ? '❌ error' : '⚠️ warning',
      place ? code(`${place.file}:${place.line}`) : '–',
      escapeMarkdown(`${name ? `${name}: ` : ''}${message.slice(0, 500)}`)
    ])
  const rest = complaints.length - rows.length
  return sections([
    table(['', 'Where', 'What the compiler says'], rows),
    rest > 0 && `_And ${rest} more: see the log._`
  ])
}

const mostComplaints = 30

function folded(title: string, content: string): string {
  return `<details><summary>${title}</summary>\n\n${content}\n\n</details>`
}
