import { join } from 'node:path'
import { log } from '../../src/action/log.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { systemClock } from '../../src/clock.ts'
import { type Build, inspectBuilder } from '../../src/image/buildx.ts'
import type { Docker } from '../../src/image/docker.ts'
import type { PushedModule } from '../../src/image/oci/module-artifact.ts'
import { dockerIn } from '../docker-program.ts'
import { type GivenModule, givenModule } from '../given-module.ts'
import { prepareBuild } from '../image-build.ts'
import { LeftKeeper } from '../image-leftovers.ts'
import { openRegistryLogin } from '../image-login.ts'
import { type Plan, planImage } from '../image-plan.ts'
import { type Published, publishImage } from '../image-publish.ts'
import { tryImage } from '../image-trial.ts'
import { leftoversFolder } from '../leftovers.ts'
import { pushModuleArtifact } from '../module-artifact.ts'
import { renderPublished } from './report.ts'
import type { spec } from './spec.ts'

type PublishInputs = Inputs<typeof spec>
type PublishStep = Step<typeof spec>

export async function main(inputs: PublishInputs, step: PublishStep): Promise<Outcome<typeof spec>> {
  const { environment, cancellation } = step
  const kept = new LeftKeeper(leftoversFolder('docker', environment))
  const docker = dockerIn(kept.root, environment, cancellation.signal)
  try {
    const given = await givenModule(inputs, join(kept.root, 'artifact'), environment)
    const plan = await planImage(inputs, given, environment, systemClock.now())
    tellPlan(plan)
    step.setOutputs({ image: plan.images[0].name, tags: plan.names.join('\n'), moduleHash: given?.module.hash })
    return await publish({ inputs, step, kept, docker, given, plan })
  } finally {
    await kept.remove(docker)
  }
}

type Publishing = {
  readonly inputs: PublishInputs
  readonly step: PublishStep
  readonly kept: LeftKeeper
  readonly docker: Docker
  readonly given: GivenModule | undefined
  readonly plan: Plan
}

async function publish({ inputs, step, kept, docker, given, plan }: Publishing): Promise<Outcome<typeof spec>> {
  const { environment, cancellation } = step
  const { root } = kept
  const credential = await openRegistryLogin(docker, { root, plan, inputs, environment })
  const builder = await inspectBuilder(docker, inputs.builder)
  log(`Builder: ${builder.name} (${builder.driver})`)
  const build = await prepareBuild(docker, { inputs, plan, given, builder, environment, root })
  let artifact: PushedModule | undefined
  const published = await publishImage({
    docker,
    plan,
    build,
    builder,
    root,
    environment,
    load: inputs.load,
    smoke: inputs.smoke,
    onEngineImage: (image) => kept.add({ image }),
    tryImage: (image) =>
      tryImage(docker, {
        image,
        hash: given?.module.hash,
        timeout: inputs.smokeTimeout,
        kept,
        environment,
        cancelled: cancellation.signal
      }),
    beforeTags: async () => {
      if (!inputs.moduleArtifact || given === undefined) return
      artifact = await pushModuleArtifact(given, plan, credential, cancellation.signal)
      step.setOutputs({ moduleArtifact: artifact.reference, moduleDigest: artifact.digest })
    }
  })
  return conclude({ inputs, step, plan, given, build, published, artifact })
}

type Concluding = Pick<Publishing, 'inputs' | 'step' | 'plan' | 'given'> & {
  readonly build: Build
  readonly published: Published
  readonly artifact: PushedModule | undefined
}

async function conclude(concluding: Concluding): Promise<Outcome<typeof spec>> {
  const { inputs, step, plan, given, build, published, artifact } = concluding
  const summary = renderPublished({
    plan,
    published,
    platforms: build.platforms,
    moduleHash: given?.module.hash,
    moduleArtifact: artifact?.reference,
    smoke: inputs.smoke
  })
  await writeSummary(summary, step.environment)
  if (published.kind === 'bad') {
    const message = `The image was built and tried, and does not serve its module. ${published.reason} No tag was moved.`
    return { outputs: {}, failure: { title: 'docker-publish: unhealthy', message } }
  }
  if (published.kind === 'built') return { outputs: { pushed: 'false' } }
  log(`Pushed ${plan.images[0].name}@${published.digest}`)
  return { outputs: { pushed: 'true', digest: published.digest } }
}

function tellPlan({ names, heldBack, push }: Plan): void {
  log(`Image:\n${names.map((name) => `  ${name}`).join('\n') || '  (no tag for this event)'}`)
  if (heldBack !== undefined) log(`Not pushed: ${heldBack}.`)
  else if (!push) log('Not pushed: `push` is `false`.')
}
