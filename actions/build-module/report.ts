import type { Environment } from '../../src/action/inputs.ts'
import type { Outputs } from '../../src/action/spec.ts'
import { writeSummary } from '../../src/action/summary.ts'
import type { BindingsState } from '../../src/build/bindings.ts'
import type { Manifest } from '../../src/build/manifest.ts'
import type { ProducedModule } from '../../src/build/produce.ts'
import { type ModuleReport, renderModule } from '../../src/build/summary.ts'
import type { Kept } from './keep.ts'
import type { spec } from './spec.ts'

/** A module with its artifact, where it has one. */
export type Result = { readonly module: ProducedModule; readonly artifact?: Kept | undefined }

/** The first module's, and all in `modules`. */
export function outputsOf(results: readonly Result[]): Outputs<typeof spec> {
  const [first] = results
  if (first === undefined) return {}
  return { ...outputsOfOne(first), modules: JSON.stringify(results.flatMap(matrixEntries)) }
}

function outputsOfOne({ module: { files, manifest }, artifact }: Result) {
  const { kind, hash, sha256, size } = manifest.module
  return {
    module: files.module,
    kind,
    moduleHash: hash,
    sha256,
    size: `${size}`,
    schema: files.schema,
    manifest: files.manifest,
    language: manifest.language,
    builder: manifest.builder,
    bindingsVersion: manifest.bindingsVersion,
    artifactName: artifact?.name,
    artifactId: artifact && `${artifact.id}`,
    artifactDigest: artifact?.digest
  } satisfies Outputs<typeof spec>
}

/** By the names of the outputs; `file` is the module's name in the artifact. */
function matrixEntries({ module: { files, manifest }, artifact }: Result): Record<string, unknown>[] {
  const { file, kind, hash, sha256, size } = manifest.module
  const entry = {
    file,
    module: files.module,
    kind,
    'module-hash': hash,
    sha256,
    size,
    schema: files.schema,
    manifest: files.manifest,
    language: manifest.language,
    builder: manifest.builder,
    ...(manifest.bindingsVersion !== undefined && { 'bindings-version': manifest.bindingsVersion }),
    ...(artifact && {
      'artifact-name': artifact.name,
      'artifact-id': artifact.id,
      'artifact-digest': artifact.digest
    })
  }
  const { databases }: Pick<Manifest, 'databases'> = manifest
  if (databases.length === 0) return [entry]
  return databases.map(({ name, server }) => ({ database: name, ...(server !== undefined && { server }), ...entry }))
}

export async function reportModules(reports: readonly ModuleReport[], environment: Environment): Promise<void> {
  await writeSummary(`${reports.map(renderModule).join('\n\n')}\n`, environment)
}

/** The error of a step that found bindings which do not fit; nothing when there are none. */
export function staleBindings(states: readonly BindingsState[]): { title: string; message: string } | undefined {
  const stale = states.filter(({ changes }) => changes.length > 0)
  if (stale.length === 0) return undefined
  const places = stale.map(({ target, changes, onlyVersion, unformatted }) => {
    const why = onlyVersion
      ? `only the CLI's version differs: ${onlyVersion.committed} is committed, ${onlyVersion.generated} is used here`
      : changes
          .slice(0, 5)
          .map(({ file, kind }) => `${file} ${kindTexts[kind]}`)
          .concat(changes.length > 5 ? [`and ${changes.length - 5} more`] : [])
          .join(', ')
    const hint =
      unformatted === undefined ? '' : `. The CLI said: ${unformatted} — install that formatter in an earlier step`
    return `${target.folder} (${target.language}): ${why}${hint}`
  })
  return {
    title: 'build-module: bindings are stale',
    message:
      `Generated client code does not fit the module:\n- ${places.join('\n- ')}\nRun \`spacetime generate\` and commit what it ` +
      'writes. The differences are in the summary of the job.'
  }
}

const kindTexts = { missing: 'is missing', changed: 'differs', 'left-over': 'is left over' } as const
