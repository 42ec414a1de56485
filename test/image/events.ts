import { createRequire } from 'node:module'

// biome-ignore lint/suspicious/noExplicitAny: payloads are JSON of many shapes
export type Payload = any

const examples: { name: string; examples: Payload[] }[] = createRequire(import.meta.url)('@octokit/webhooks-examples')

/** GitHub's own example of an event. */
export function payloadOf(event: string, like: (payload: Payload) => boolean = () => true): Payload {
  const payload = examples.find(({ name }) => name === event)?.examples.find(like)
  if (payload === undefined) throw new Error(`no such example of ${event}`)
  return structuredClone(payload)
}
