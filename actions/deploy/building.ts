import { resolve } from 'node:path'
import { log } from '../../src/action/log.ts'
import { type BuildPlan, type PlannedBuild, planBuilds } from '../../src/build/plan.ts'
import { nameIn } from '../../src/build/project.ts'
import { knownEnvironment } from '../../src/build/spacetime-json.ts'
import { renderModule } from '../../src/build/summary.ts'
import { orCancelled } from '../../src/cancellation.ts'
import { ConfigurationError, messageOf } from '../../src/errors.ts'
import { loadModule } from '../../src/module/load.ts'
import { newToKeep, toKeep } from '../build-caches.ts'
import { findCli } from '../build-cli.ts'
import { openWorkbench, type Workbench } from '../build-workbench.ts'
import { buildPlanned, produceAll, reportFailedBuild } from '../building.ts'
import type { ReleasingStep } from '../releasing.ts'
import type { NoSource, Source, SourceInputs } from './source.ts'

/** Builds the module of a database, as `build-module` does it. Throws a `ConfigurationError` when there is not one to build. */
export async function buildSource(
  inputs: SourceInputs,
  database: string,
  step: ReleasingStep
): Promise<Source | NoSource> {
  const bench = await openWorkbench(step)
  const chosen = chosenFor(database, await planOf(inputs, bench))
  if (chosen.kind === 'file') {
    log(`spacetime.json says that the module of ${database} is built already: ${chosen.file}`)
    return { kind: 'module', module: await loadModule(chosen.file), path: chosen.file, manifest: undefined, notes: {} }
  }
  try {
    return await build(chosen.build, inputs.cache, bench, step)
  } catch (error) {
    if (!step.cancellation.requested) throw error
    return noSource('cancelled', 'The job was cancelled before anything was changed.')
  }
}

async function build(
  planned: PlannedBuild,
  isCached: boolean,
  bench: Workbench,
  { environment, cancellation: { signal } }: ReleasingStep
): Promise<Source | NoSource> {
  const { folder } = planned.project
  log(`No module is given, so the project in ${nameIn(bench.workspace, folder)} is built.`)
  const cli = await findCli('spacetime', true, bench)
  const built = await buildPlanned(planned, { builder: 'auto', cli, isCached }, bench)
  signal.throwIfAborted()
  if (built.kind === 'failed') {
    await reportFailedBuild(planned, built, bench, environment)
    return noSource('the build failed', `${built.reason} Nothing was changed.`)
  }
  const produced = await orCancelled(produceAll([built], bench, environment), signal)
  if (produced === 'cancelled') throw signal.reason
  const [module] = produced
  if (module === undefined) throw new Error('the build made no module')
  if (isCached) toKeep.save(await newToKeep([built.cache], [module], bench))
  const { files, manifest } = module
  const report = renderModule({ module, cache: built.cache.text, bindings: [], bindingsMode: 'check' })
  return { kind: 'module', module: await loadModule(files.module), path: files.module, manifest, notes: {}, report }
}

function noSource(what: string, message: string): NoSource {
  return { kind: 'none', failure: { title: `deploy: ${what}`, message } }
}

/** What there is to build. Where nothing says what, a message says that this was looked for because of that. */
async function planOf({ path, environment: name }: SourceInputs, { workspace }: Workbench): Promise<BuildPlan> {
  const environment = await knownEnvironment({
    start: resolve(workspace, path ?? '.'),
    topmost: workspace,
    environment: name
  })
  try {
    return await planBuilds({ path, environment, workspace })
  } catch (error) {
    if (path !== undefined || !(error instanceof ConfigurationError)) throw error
    throw new ConfigurationError(
      `None of the inputs \`module\`, \`artifact\` and \`from-image\` is given, so a project to build was looked for. ${messageOf(error)}`
    )
  }
}

type Chosen =
  | { readonly kind: 'build'; readonly build: PlannedBuild }
  | { readonly kind: 'file'; readonly file: string }

/** What spacetime.json says is for the database, else the only one. */
function chosenFor(database: string, { builds, prebuilt }: BuildPlan): Chosen {
  const all: (Chosen & { readonly databases: PlannedBuild['databases'] })[] = [
    ...builds.map((build) => ({ kind: 'build', build, databases: build.databases }) as const),
    ...prebuilt.map(({ file, databases }) => ({ kind: 'file', file, databases }) as const)
  ]
  const named = all.filter(({ databases }) => databases.some(({ name }) => name === database))
  const [first, ...others] = named.length > 0 ? named : all
  if (first !== undefined && others.length === 0) return first
  const names = all.flatMap(({ databases }) => databases.map(({ name }) => `\`${name}\``))
  throw new ConfigurationError(
    `spacetime.json is about several modules, and none is for the database \`${database}\` (but for ${names.join(', ') || 'none that is named'}). Say by \`path\` which project to build, or give \`module\`.`
  )
}
