import * as core from '@actions/core'
import { type Annotation, annotate } from '../src/action/annotations.ts'
import type { Environment } from '../src/action/inputs.ts'
import { log } from '../src/action/log.ts'
import { originOf } from '../src/action/origin.ts'
import { writeSummary } from '../src/action/summary.ts'
import { type BuildFailed, type BuildRequest, type Built, buildModule } from '../src/build/build.ts'
import type { Complaint } from '../src/build/complaint.ts'
import type { PlannedBuild } from '../src/build/plan.ts'
import { moduleNames, type ProducedModule, produceModule } from '../src/build/produce.ts'
import { nameIn } from '../src/build/project.ts'
import { renderFailure } from '../src/build/summary.ts'
import { systemClock } from '../src/clock.ts'
import { describeModule } from '../src/module/describe.ts'
import { type BuildCache, restoreCache } from './build-caches.ts'
import type { Workbench } from './build-workbench.ts'

/** A build that has ended well. */
export type FinishedBuild = {
  readonly kind: 'built'
  readonly planned: PlannedBuild
  readonly built: Built
  readonly cache: BuildCache
}

export type BuildChoice = {
  readonly builder: BuildRequest['builder']
  /** The CLI, when there is one. */
  readonly cli: BuildRequest['cli']
  /** Whether dependencies are taken from the cache. */
  readonly isCached: boolean
}

/** Builds one project, folded in the log. Throws a `ConfigurationError` for what the user can mend outside of the sources. */
export async function buildPlanned(
  planned: PlannedBuild,
  { builder, cli, isCached }: BuildChoice,
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

/** Reports a build that failed: what compilers said, where, and in the summary. */
export async function reportFailedBuild(
  { project }: PlannedBuild,
  failed: BuildFailed,
  { workspace }: Workbench,
  environment: Environment
): Promise<void> {
  annotateComplaints(failed.complaints)
  const name = nameIn(workspace, project.folder).replaceAll('`', '')
  await writeSummary(`${renderFailure(name, failed)}\n`, environment)
}

/** Takes what was built out of the projects, each with its schema and its manifest, and shows what compilers said of it. */
export async function produceAll(
  builds: readonly FinishedBuild[],
  { workspace, folder }: Workbench,
  environment: Environment
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

/** Shows what compilers said at the places that it is about. */
function annotateComplaints(complaints: readonly Complaint[]): void {
  annotate(
    complaints.map(
      ({ severity, message, code, place }): Annotation => ({
        severity,
        title: code ?? `compiler ${severity}`,
        message,
        ...(place && { place })
      })
    )
  )
}
