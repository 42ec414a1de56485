import { relative } from 'node:path'
import * as core from '@actions/core'
import { log } from '../../src/action/log.ts'
import { originOf } from '../../src/action/origin.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { compareBindings, writeBindings } from '../../src/build/bindings.ts'
import { type BindingsTarget, parseBindings } from '../../src/build/bindings-list.ts'
import { type Built, buildModule } from '../../src/build/build.ts'
import { type BuildPlan, type PlannedBuild, planBuilds } from '../../src/build/plan.ts'
import { moduleNames, type ProducedModule, produceModule } from '../../src/build/produce.ts'
import { systemClock } from '../../src/clock.ts'
import { ConfigurationError } from '../../src/errors.ts'
import { describeModule } from '../../src/module/describe.ts'
import { type BuildCache, newToKeep, restoreCache } from './caches.ts'
import { artifactNames, compareWithBase, type Keeping, keepModule } from './keep.ts'
import { annotateComplaints, outputsOf, reportFailure, reportModules, staleBindings } from './report.ts'
import type { spec } from './spec.ts'
import { toKeep } from './state.ts'
import { openWorkbench, type Workbench } from './workbench.ts'

type BuildInputs = Inputs<typeof spec>
type BuildStep = Step<typeof spec>

export async function main(inputs: BuildInputs, step: BuildStep): Promise<Outcome<typeof spec>> {
  const targets = parseBindings(inputs.bindings ?? '')
  const bench = await openWorkbench(step)
  const { path, environment } = inputs
  const plan = await planBuilds({ path, environment, workspace: bench.workspace })
  checkPlan(plan, targets, inputs)
  const built = await buildAll(plan, inputs, step, bench)
  if ('failure' in built) return built
  const modules = await produceAll(built, step, bench)
  return conclude(modules, built, targets, inputs, step, bench)
}
