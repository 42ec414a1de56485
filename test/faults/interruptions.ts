import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, expect, jest, test } from '@jest/globals'
import type { ModuleHash } from '../../src/module/hash.ts'
import type { RunningStep, StepResult } from '../runner/runner.ts'
import { hashOf, type Stage, startStage } from '../runner/stage.ts'
import { type Journey, type Place, placesOf, travel } from './journeys.ts'
import { startProxy } from './proxy.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(90_000)

export type Interruption = 'cancel' | 'kill'

/** When a request has come and the server has not got it, or when the server has answered and the step doesn't know. */
export type Moment = 'before' | 'answered'

/**
 * Makes tests of a journey that is cut off at each of its requests: by cancelling the run as GitHub does, or by
 * killing the process as the end of a machine does. Then the post step runs, and one of the two releases is live.
 */
export async function testInterruptions(
  journey: Journey,
  interruptions: readonly Interruption[],
  moments: readonly Moment[]
): Promise<void> {
  const stage = await startStage()
  afterAll(() => stage.server.close())
  const places = placesOf((await travel(stage, journey)).requests)
  const cases = places.flatMap((place) =>
    interruptions.flatMap((interruption) =>
      moments.map((moment) => ({ ...place, interruption, moment, title: titleOf(interruption, moment, place) }))
    )
  )
  test.concurrent.each(cases)(`${journey.name}: $title`, async ({ interruption, moment, match }) => {
    const interrupted = await interrupt(stage, journey, { interruption, moment, match })
    expect(violations(journey, interruption, interrupted)).toEqual([])
  })
}

type Interrupted = {
  readonly main: StepResult
  readonly post: StepResult
  /** Served when all was over. */
  readonly live: ModuleHash | undefined
}

export async function interrupt(
  stage: Stage,
  journey: Journey,
  at: {
    readonly interruption: Interruption
    readonly moment: Moment
    readonly match: Place['match']
    /** Milliseconds by which the server gets the request, or the step its answer, later than that. */
    readonly delay?: number
  }
): Promise<Interrupted> {
  const database = journey.before === undefined ? stage.newDatabase() : await stage.databaseWith(journey.before)
  const proxy = await startProxy(stage.server.url)
  const inputs = { ...journey.inputs, server: proxy.url }
  const secrets = () => [...proxy.issuedTokens]
  const { job, step } = stage.startDeploy({ database, module: journey.module, inputs, secrets })
  const hook = () => {
    cutOff(step, at.interruption)
    return wait(at.delay ?? 0)
  }
  proxy.inject({ match: at.match, ...(at.moment === 'before' ? { before: hook } : { answered: hook }) })
  try {
    const main = await step.result
    const [post] = await job.post()
    if (!post) throw new Error('deploy has no post step')
    return { main, post, live: await stage.liveHash(database) }
  } finally {
    job.end()
    await proxy.close()
  }
}

function cutOff(step: RunningStep, interruption: Interruption): void {
  if (interruption === 'cancel') step.cancel()
  else step.kill()
}

/** What the job says at last: where the post step had something to finish it has the last word. */
function verdictOf({ main, post }: Interrupted): string | undefined {
  const saysPost = /^deploy: ([\w-]+)/.exec(post.annotations.find(({ level }) => level === 'error')?.title ?? '')?.[1]
  return saysPost ?? main.outputs.result
}

/** What is not as it must be; nothing when all is well. */
export function violations(journey: Journey, interruption: Interruption, interrupted: Interrupted): string[] {
  const { main, post, live } = interrupted
  const old = journey.before === undefined ? undefined : hashOf(journey.before)
  const next = hashOf(journey.module)
  const verdict = verdictOf(interrupted) ?? 'none'
  const says = new Map([
    ['failed', old],
    ['rolled-back', old],
    ['unhealthy', next],
    ['created', next],
    ['updated', next]
  ])
  return [
    live === old || live === next ? [] : `the database is in neither release: ${live}`,
    says.has(verdict) ? [] : `the job says ${verdict}`,
    !says.has(verdict) || says.get(verdict) === live ? [] : `the job says ${verdict}, but live is ${live}`,
    journey.before !== undefined && interruption === 'kill' && live !== old
      ? 'a release that was not checked stayed'
      : [],
    interruption === 'kill' || main.exitCode !== null ? [] : `a cancelled step had to be ended by ${main.signal}`,
    main.leftProcesses && interruption === 'cancel' ? 'a cancelled step left a process running' : [],
    main.exitCode === 0 || post.exitCode === 0 || post.annotations.length === 1
      ? []
      : 'the post step does not say one thing'
  ].flat()
}

function titleOf(interruption: Interruption, moment: Moment, { title }: Place): string {
  const how = interruption === 'cancel' ? 'cancelled' : 'killed'
  return moment === 'before' ? `${how} before the server gets ${title}` : `${how} when the server has answered ${title}`
}
