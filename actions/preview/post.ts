import { openConnection } from '../../src/action/connection.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { systemClock } from '../../src/clock.ts'
import { deletePreview } from '../../src/preview/delete.ts'
import { previewOf } from '../../src/preview/preview.ts'
import { renderDeletion } from '../../src/preview/report.ts'
import { type Failing, finishCutOff } from '../releasing.ts'
import { gitHubSide } from './github.ts'
import type { spec } from './spec.ts'
import { checkpoint, unfilled } from './state.ts'

/**
 * After a main step that was cut off: deletes a new preview that was not filled to the end, or else finishes what was begun.
 */
export async function post(inputs: Inputs<typeof spec>, step: Step<typeof spec>): Promise<Outcome<typeof spec>> {
  const left = unfilled.read(step.environment)
  const first = left == null ? {} : await deleteUnfilled(left, inputs, step)
  const finished = await finishCutOff('preview', checkpoint, inputs, step)
  // What was not there yet may have been created while it was waited for.
  const deleted = left == null || first.failure ? first : await deleteUnfilled(left, inputs, step)
  return { outputs: {}, ...finished, ...deleted }
}

async function deleteUnfilled(
  left: { readonly prefix: string; readonly number: number },
  inputs: Inputs<typeof spec>,
  step: Step<typeof spec>
): Promise<Failing> {
  const preview = previewOf(left.prefix, left.number)
  const { server, credential } = await openConnection(inputs, step.environment)
  const { releases } = gitHubSide(inputs, step.environment)
  const deletion = await deletePreview(preview, { server, identity: credential.identity, releases, clock: systemClock })
  if (deletion.kind === 'absent') return {}
  await writeSummary(renderDeletion(deletion, preview), step.environment)
  const message = `The job was cut off before the new preview was filled, so "${preview.database}" is deleted again.`
  return {
    failure: { title: 'preview: cut off', message: 'reason' in deletion ? deletion.reason : message }
  }
}
