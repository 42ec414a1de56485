import { ConfigurationError, messageOf } from '../errors.ts'
import { ServerFailure } from '../spacetimedb/server.ts'
import { annotateFailure } from './annotations.ts'
import { type Environment, readInputs } from './inputs.ts'
import { log, logDebug } from './log.ts'
import { maskSecretInputs } from './masking.ts'
import { setFirstOutputs, setOutputs } from './outputs.ts'
import { type Cancellation, listenForCancellation } from './signals.ts'
import type { ActionSpec, Inputs, Outputs } from './spec.ts'

/** What an action does in one of its steps (main or post). */
export type Phase<S extends ActionSpec> = (inputs: Inputs<S>, step: Step<S>) => Promise<Outcome<S>>

/** The step that runs. */
export type Step<S extends ActionSpec> = {
  readonly environment: Environment
  readonly cancellation: Cancellation
  /** For outputs that must be there even if the step is killed; the others are returned. */
  setOutputs(outputs: Outputs<S>): void
}

/** With a failure the step fails, its outputs set all the same. */
export type Outcome<S extends ActionSpec> = {
  readonly outputs: Outputs<S>
  readonly failure?: { readonly title: string; readonly message: string }
}

/**
 * Runs a step of an action: secrets masked, inputs read and checked, outputs set. Whatever goes wrong becomes one
 * error annotation and exit code 1; nothing is thrown.
 */
export async function runAction<S extends ActionSpec>(
  spec: S,
  phase: Phase<S>,
  environment: Environment = process.env
): Promise<void> {
  const report = reportOnce(spec)
  const onStray = (thrown: unknown) => {
    report(thrown)
    process.exit()
  }
  process.on('uncaughtException', onStray)
  process.on('unhandledRejection', onStray)
  const cancellation = listenForCancellation()
  try {
    maskSecretInputs(spec, environment)
    setFirstOutputs(spec)
    const inputs = readInputs(spec, environment)
    const outcome = await phase(inputs, {
      environment,
      cancellation,
      setOutputs: (outputs) => setOutputs(spec, outputs)
    })
    setOutputs(spec, outcome.outputs)
    if (outcome.failure) annotateFailure(outcome.failure.title, outcome.failure.message)
  } catch (thrown) {
    report(thrown)
  } finally {
    cancellation.stop()
    process.off('uncaughtException', onStray)
    process.off('unhandledRejection', onStray)
    endSoon()
  }
}

/** Milliseconds. */
const longestFarewell = 2_000

/** What is under way still when all is said, such as a request that nobody waits for any more, holds the job up no longer. */
function endSoon(): void {
  setTimeout(() => process.exit(), longestFarewell).unref()
}

/**
 * Runs the post step of an action. When the main step has saved no state there is nothing to finish, whatever the
 * inputs: what was wrong with those the main step has said.
 */
export async function runPost<S extends ActionSpec>(
  spec: S,
  phase: Phase<S>,
  environment: Environment = process.env
): Promise<void> {
  const hasState = Object.keys(environment).some((name) => name.startsWith('STATE_'))
  if (hasState) await runAction({ ...spec, firstOutputs: {} }, phase, environment)
  else log('The main step left nothing to finish.')
}

function reportOnce(spec: ActionSpec): (thrown: unknown) => void {
  let reported = false
  return (thrown) => {
    logDebug(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown))
    if (reported) return
    reported = true
    annotateFailure(`${spec.name}: ${titleOf(thrown)}`, messageFor(thrown))
  }
}

function titleOf(thrown: unknown): string {
  if (thrown instanceof ConfigurationError) return 'wrong configuration'
  if (thrown instanceof ServerFailure) return `the server could not be used (${thrown.kind})`
  return 'unexpected failure'
}

function messageFor(thrown: unknown): string {
  const message = messageOf(thrown) || 'no reason was given'
  if (thrown instanceof ConfigurationError || thrown instanceof ServerFailure) return message
  return `${message}\nFor more, run the job again with debug logging enabled.`
}
