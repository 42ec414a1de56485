import { ConfigurationError } from '../../src/errors.ts'
import { pullRequestOf } from '../../src/github/pull-request.ts'

/** What a step has to do. */
export type Task =
  | {
      readonly kind: 'update' | 'delete'
      /** Of the pull request. */
      readonly number: number
      /** Whether the event says so, and not somebody by hand: then it is looked whether it still holds. */
      readonly isByEvent: boolean
    }
  | { readonly kind: 'cleanup' }

export type TaskInputs = {
  readonly mode: 'update' | 'delete' | 'cleanup' | undefined
  readonly pullRequest: number | undefined
}

/** What the inputs ask for, or else the event. Throws a `ConfigurationError` when neither says it. */
export function taskOf(inputs: TaskInputs, eventName: string | undefined, payload: unknown): Task {
  const kind = inputs.mode ?? kindByEvent(eventName, payload)
  if (kind === 'cleanup') {
    if (inputs.pullRequest === undefined) return { kind }
    throw new ConfigurationError(
      'The input `pull-request` does not go with `mode: cleanup`, which looks at all previews. Leave one of them out.'
    )
  }
  return { kind, number: numberOf(inputs, eventName, payload), isByEvent: inputs.mode === undefined }
}

function kindByEvent(eventName: string | undefined, payload: unknown): Task['kind'] {
  switch (eventName) {
    case 'pull_request':
    case 'pull_request_target':
      return isAboutClosing(payload) ? 'delete' : 'update'
    case 'schedule':
      return 'cleanup'
    default:
      throw new ConfigurationError(
        `Say by the input \`mode\` what is to be done: \`update\`, \`delete\` or \`cleanup\`. Without it, it follows from the event, which has to be \`pull_request\` or \`schedule\`${eventName ? `, and is \`${eventName}\`` : ''}.`
      )
  }
}

function isAboutClosing(payload: unknown): boolean {
  return typeof payload === 'object' && payload !== null && 'action' in payload && payload.action === 'closed'
}

/** A number that is given and that of the event must not differ: one of them would be somebody else's preview. */
function numberOf({ pullRequest }: TaskInputs, eventName: string | undefined, payload: unknown): number {
  const said = pullRequestOf(eventName ?? '', payload)
  const ofEvent = said.kind === 'found' ? said.number : undefined
  const number = pullRequest ?? ofEvent
  if (number === undefined) {
    throw new ConfigurationError(
      'Say by the input `pull-request` which one it is about: its number. Without it, it is the one of the event, which is about none.'
    )
  }
  if (ofEvent === undefined || ofEvent === number) return number
  throw new ConfigurationError(
    `The input \`pull-request\` is \`${number}\`, and the event is about #${ofEvent}. Leave the input out here.`
  )
}
