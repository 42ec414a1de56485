import type { Clock } from '../clock.ts'
import type { Journal } from '../journal.ts'
import type { Server } from '../spacetimedb/server.ts'
import { carryOut, type Effect, type StepResult } from './carry-out.ts'
import type { Step } from './steps-file.ts'

/** What steps are run with. */
export type StepsTools = {
  readonly clock: Clock
  /** Each step becomes one of its steps. */
  readonly journal: Pick<Journal, 'step' | 'tell'>
  /** The job is being cancelled: nothing more is sent, and an answer is not waited for. */
  readonly cancelled: AbortSignal
}

/** A step that was done; `detail` says what came of it. */
export type RanStep = { readonly step: Step; readonly detail: string }

export type StepsOutcome =
  | { readonly kind: 'done'; readonly ran: readonly RanStep[] }
  | {
      readonly kind: 'failed' | 'cancelled'
      /** The step that was not done. Those after it were not begun. */
      readonly step: Step
      readonly reason: string
      /** What this step, all the same, has done to the data. */
      readonly effect: Effect
      readonly ran: readonly RanStep[]
      readonly left: readonly Step[]
    }

/**
 * Runs steps in their order, and ends with the first that fails or when the job is cancelled. What changes something
 * is sent once; nothing is taken back. Throws nothing.
 */
export async function runSteps(
  server: Pick<Server, 'call' | 'sql'>,
  database: string,
  steps: readonly Step[],
  { clock, journal, cancelled }: StepsTools
): Promise<StepsOutcome> {
  const ran: RanStep[] = []
  for (const [index, step] of steps.entries()) {
    const title = `Step ${index + 1} of ${steps.length}: ${step.name}`
    const result = await journal.step(title, async (notes): Promise<StepResult> => {
      const result = await carryOut(step, { server, database, clock, cancelled, tell: journal.tell })
      if (result.kind === 'done') notes.detail(result.detail)
      else notes.fail(result.reason)
      return result
    })
    if (result.kind !== 'done') return { ...result, step, ran, left: steps.slice(index + 1) }
    ran.push({ step, detail: result.detail })
  }
  return { kind: 'done', ran }
}

/**
 * How steps ended, for a person, who has to know which have run: a sentence, and the steps in their order, a line for
 * each. It holds texts of the file and of the server, not escaped.
 */
export function stepsReport(outcome: StepsOutcome): string {
  const ran = outcome.ran.map(({ step, detail }) => `- ran: ${step.name} (${detail})`)
  if (outcome.kind === 'done')
    return [outcome.ran.length === 1 ? 'The step ran.' : `All ${outcome.ran.length} steps ran.`, ...ran].join('\n')
  const { step, reason, effect, left } = outcome
  const verb = outcome.kind === 'failed' ? 'failed' : 'was cancelled'
  return [
    `Step ${outcome.ran.length + 1} of ${outcome.ran.length + 1 + left.length}, "${step.name}", ${verb}: ${reason} ${effectText[effect]}`,
    ...ran,
    `- ${verb}: ${step.name}`,
    ...left.map(({ name }) => `- not run: ${name}`)
  ].join('\n')
}

const effectText: Readonly<Record<Effect, string>> = {
  none: 'This step changed nothing.',
  part: 'A part of this step was done.',
  unknown: 'What this step changed is not known: look at the data.'
}
