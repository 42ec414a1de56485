import type { BlobStore } from './blob-store.ts'
import type { ResultsJob } from './results-job.ts'

/** A call of the service, by its method's name. Fields are named as they are sent. */
export type ResultsCall = {
  readonly job: ResultsJob
  readonly fields: Readonly<Record<string, unknown>>
  readonly blobs: BlobStore
  /** A path of this server as a whole URL. */
  readonly urlOf: (path: string) => string
  /** A number that no other thing of the service has. */
  readonly newId: () => number
}

export type ResultsAnswer = { readonly status: number; readonly body: unknown }

export type ResultsMethod = (call: ResultsCall) => ResultsAnswer

export function ok(body: unknown): ResultsAnswer {
  return { status: 200, body }
}

/** An error in the form of Twirp (https://twitchtv.github.io/twirp/docs/spec_v7.html#error-codes). */
export function twirpError(status: number, code: string, msg: string): ResultsAnswer {
  return { status, body: { code, msg } }
}

/** A field under either of the names that protobuf's JSON allows; wrapped values are plain in it. */
export function field({ fields }: ResultsCall, name: string): unknown {
  const camelCase = name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
  return fields[name] ?? fields[camelCase]
}

/** A field's text; '' when it is missing. */
export function text(call: ResultsCall, name: string): string {
  const value = field(call, name)
  return value === undefined || value === null ? '' : String(value)
}
