/** How long a request may take, in milliseconds, with the transfer of a module where one is sent or fetched. */
export type Timeouts = {
  readonly read: number
  readonly plan: number
  /** The server itself waits up to 5 s until an update is durable. */
  readonly publish: number
  readonly call: number
  readonly liveModule: number
  /** How long nothing at all may come over a client's connection; the server pings each 15 s. */
  readonly silence: number
}

const defaultTimeouts: Timeouts = {
  read: 30_000,
  plan: 120_000,
  publish: 120_000,
  call: 60_000,
  liveModule: 120_000,
  silence: 45_000
}

/** The inputs that raise a time limit, for messages. */
export type TimeoutInputs = { readonly [Kind in keyof Timeouts]?: string }

/** The time limit of each kind of request, as a question carries it. */
export type Limits = {
  readonly [Kind in keyof Timeouts]: { readonly timeout: number; readonly timeoutInput: string | undefined }
}

export function limitsOf(timeouts: Partial<Timeouts>, inputs: TimeoutInputs): Limits {
  const limit = (kind: keyof Timeouts) => ({
    timeout: timeouts[kind] ?? defaultTimeouts[kind],
    timeoutInput: inputs[kind]
  })
  return {
    read: limit('read'),
    plan: limit('plan'),
    publish: limit('publish'),
    call: limit('call'),
    liveModule: limit('liveModule'),
    silence: limit('silence')
  }
}
