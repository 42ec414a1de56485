import * as core from '@actions/core'
import { log } from '../../src/action/log.ts'
import { originOf } from '../../src/action/origin.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { type BindingsState, compareBindings, writeBindings } from '../../src/build/bindings.ts'
import { type BindingsTarget, parseBindings } from '../../src/build/bindings-list.ts'
import { type BuildFailed, type BuildRequest, type Built, buildModule } from '../../src/build/build.ts'
import { type BuildPlan, type PlannedBuild, planBuilds } from '../../src/build/plan.ts'
import { moduleNames, type ProducedModule, produceModule } from '../../src/build/produce.ts'
import { nameIn } from '../../src/build/project.ts'
import type { ModuleReport } from '../../src/build/summary.ts'
import { systemClock } from '../../src/clock.ts'
import { ConfigurationError } from '../../src/errors.ts'
import { describeModule } from '../../src/module/describe.ts'
import { type BuildCache, newToKeep, restoreCache } from './caches.ts'
import { findCli } from './cli.ts'
import { artifactNames, compareWithBase, keepModule } from './keep.ts'
import { annotateComplaints, outputsOf, type Result, reportFailure, reportModules, staleBindings } from './report.ts'
import type { spec } from './spec.ts'
import { toKeep } from './state.ts'
import { openWorkbench, type Workbench } from './workbench.ts'

type BuildInputs = Inputs<typeof spec>
type BuildStep = Step<typeof spec>

export async function main(inputs: BuildInputs, step: BuildStep): Promise<Outcome<typeof spec>> {
  const targets = parseBindings(inputs.bindings ?? '')
  const bench = await openWorkbench(step)
  const plan = await planBuilds({ ...inputs, workspace: bench.workspace })
  const cli = await findCli(inputs.cli, bench)
  checkPlan(plan, targets, cli)
  const builds: FinishedBuild[] = []
  for (const planned of plan.builds) {
    const built = await build(planned, inputs, cli, bench)
    if (built.kind === 'failed') return failed(planned, built, step)
    builds.push(built)
  }
  const modules = await produceAll(builds, step, bench)
  const bindings = await bringBindings(targets, modules, inputs, { ...bench, cli: cli ?? '' })
  return conclude(modules, builds, bindings, inputs, step, bench)
}

/** Throws a `ConfigurationError` for what can't be done, before anything takes its time. */
function checkPlan({ builds, prebuilt }: BuildPlan, targets: readonly BindingsTarget[], cli: string | undefined): void {
  const files = prebuilt.map(({ file }) => file)
  if (builds.length === 0) {
    throw new ConfigurationError(
      `spacetime.json names no project to build, only modules that are built already: ${files.join(', ')}. Give such a file ` +
        'to the action `deploy` as `module`.'
    )
  }
  for (const file of files) log(`Left out: ${file}, which spacetime.json names as a module that is built already.`)
  if (targets.length > 0 && cli === undefined) {
    throw new ConfigurationError(
      'Input `bindings` needs the SpacetimeDB CLI, and there is none in PATH. Use the action `setup-spacetimedb` in an earlier ' +
        'step, or give its path as `cli`.'
    )
  }
  if (builds.length > 1 && targets.length > 0) {
    throw new ConfigurationError(
      `Input \`bindings\`: there are ${builds.length} modules, and nothing says to which the bindings belong. Build one module ` +
        'a step, by the input `path`.'
    )
  }
}

type FinishedBuild = {
  readonly kind: 'built'
  readonly planned: PlannedBuild
  readonly built: Built
  readonly cache: BuildCache
}

async function build(
  planned: PlannedBuild,
  { builder, cache: isCached }: BuildInputs,
  cli: BuildRequest['cli'],
  bench: Workbench
): Promise<FinishedBuild | BuildFailed> {
  const { project, options } = planned
  core.startGroup(`Building ${nameIn(bench.workspace, project.folder)}`)
  try {
    const used = builder === 'auto' ? (cli === undefined ? 'toolchain' : 'cli') : builder
    const cache: BuildCache = isCached
      ? await restoreCache(planned, used, bench)
      : { build: planned, cache: undefined, restored: undefined, text: 'not cached (`cache: false`)' }
    const result = await buildModule({ project, options, builder, cli }, bench)
    return result.kind === 'failed' ? result : { kind: 'built', planned, built: result, cache }
  } finally {
    core.endGroup()
  }
}

async function failed({ project }: PlannedBuild, build: BuildFailed, step: BuildStep): Promise<Outcome<typeof spec>> {
  const name = nameIn(step.environment.GITHUB_WORKSPACE ?? process.cwd(), project.folder)
  await reportFailure(name.replaceAll('`', ''), build, step.environment)
  return { outputs: {}, failure: { title: 'build-module: the build failed', message: build.reason } }
}

async function produceAll(
  builds: readonly FinishedBuild[],
  { environment }: BuildStep,
  { workspace, folder }: Workbench
): Promise<ProducedModule[]> {
  const names = moduleNames(builds.map(({ planned, built }) => ({ build: planned, file: built.file })))
  const { GITHUB_REF: ref } = environment
  const source = { ...originOf(environment), ...(ref && { ref }) }
  const tools = { describe: describeModule, clock: systemClock, workspace, folder, source }
  const modules: ProducedModule[] = []
  for (const [at, { planned, built }] of builds.entries()) {
    annotateComplaints(built.complaints)
    const module = await produceModule(planned, built, names[at] ?? `module-${at}`, tools)
    log(`${module.files.module}: ${module.manifest.module.size} bytes, hash ${module.hash}`)
    modules.push(module)
  }
  return modules
}

async function bringBindings(
  targets: readonly BindingsTarget[],
  modules: readonly ProducedModule[],
  { bindingsMode }: BuildInputs,
  bench: Workbench & { readonly cli: string }
): Promise<BindingsState[]> {
  const bring = bindingsMode === 'write' ? writeBindings : compareBindings
  const states: BindingsState[] = []
  for (const { files, manifest } of modules) {
    for (const target of targets) {
      const state = await bring(target, { path: files.module, kind: manifest.module.kind }, bench)
      const done = bindingsMode === 'write' ? 'written' : 'stale'
      log(
        `Bindings in ${target.folder}: ${state.changes.length === 0 ? 'up to date' : `${state.changes.length} files ${done}`}`
      )
      states.push(state)
    }
  }
  return states
}

/** Keeps and reports what was built. What is stale or could not be kept fails the step, with its outputs set. */
async function conclude(
  modules: readonly ProducedModule[],
  builds: readonly FinishedBuild[],
  bindings: readonly BindingsState[],
  inputs: BuildInputs,
  { environment }: BuildStep,
  bench: Workbench
): Promise<Outcome<typeof spec>> {
  const stale = inputs.bindingsMode === 'check' ? staleBindings(bindings) : undefined
  const names = artifactNames(inputs.artifactName, modules)
  const results: Result[] = []
  const reports: ModuleReport[] = []
  let failure = stale
  for (const [at, module] of modules.entries()) {
    const name = names[at] ?? inputs.artifactName
    const comparison = await compareWithBase(name, inputs, bench.scratch, environment)
    const isKept = inputs.uploadArtifact && failure === undefined
    const keeping = isKept ? await keepModule(module, name, inputs.retentionDays, environment) : undefined
    if (keeping?.kind === 'failed') failure = { title: 'build-module: no artifact', message: keeping.reason }
    const artifact = keeping?.kind === 'kept' ? keeping.artifact : undefined
    results.push({ module, artifact })
    const cache = builds[at]?.cache.text ?? ''
    const { bindingsMode } = inputs
    reports.push({ module, ...(artifact && { artifact }), comparison, cache, bindings, bindingsMode })
  }
  await reportModules(reports, environment)
  if (failure === undefined)
    toKeep.save(
      await newToKeep(
        builds.map(({ cache }) => cache),
        modules,
        bench
      )
    )
  return { outputs: outputsOf(results), ...(failure && { failure }) }
}
