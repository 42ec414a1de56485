/** The deployments that the ledger is kept in. What goes wrong is a value. */
export type DeploymentsApi = {
  /** Those in an environment, the newest first, page by page. Ends with the last or with a failure. */
  list(environment: string): AsyncIterable<DeploymentsAnswer<readonly KeptDeployment[]>>
  get(id: number): Promise<DeploymentsAnswer<KeptDeployment>>
  /** Made once, also when an answer is lost. A `status` of 422: mostly the `ref` is not known. */
  create(request: {
    readonly ref: string
    readonly environment: string
    readonly description: string
    readonly payload: object
    readonly isTransient: boolean
  }): Promise<DeploymentsAnswer<KeptDeployment>>
  /** The newest first. */
  statuses(id: number): Promise<DeploymentsAnswer<readonly KeptStatus[]>>
  addStatus(
    id: number,
    status: {
      readonly state: StatusState
      readonly description?: string
      readonly logUrl?: string
      readonly environmentUrl?: string
    }
  ): Promise<DeploymentsAnswer<undefined>>
}

export type DeploymentsAnswer<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | {
      readonly kind: 'not-found' | 'forbidden' | 'rate-limited' | 'unreachable' | 'unexpected'
      readonly reason: string
      /** Of HTTP. */
      readonly status?: number
    }

/** Times are in milliseconds since the epoch. */
export type KeptDeployment = {
  readonly id: number
  readonly payload: unknown
  readonly created: number
  readonly creator?: string
}

export type KeptStatus = { readonly state: string; readonly description: string; readonly created: number }

export type StatusState = 'in_progress' | 'success' | 'failure' | 'error' | 'inactive'

/** What was read of the deployments of an environment, so that nothing is asked twice. */
export type KeptDeployments = {
  /** The newest deployments, page by page: of very many only so many. Ends with a failure, where there is one. */
  pages(): AsyncIterable<DeploymentsAnswer<readonly KeptDeployment[]>>
  deployment(id: number): Promise<DeploymentsAnswer<KeptDeployment>>
  statuses(id: number): Promise<DeploymentsAnswer<readonly KeptStatus[]>>
  /** Whether its newest status was read, and is `inactive`. */
  isInactive(id: number): Promise<boolean>
  /** Has the statuses of one deployment, or everything, be asked afresh. */
  forget(id?: number): void
}

/** 2,000 deployments: reading them takes some 10 s. */
const mostPages = 20

export function keptDeployments(api: DeploymentsApi, environment: string): KeptDeployments {
  const read = new Map<number, KeptDeployment>()
  const statuses = new Map<number, Promise<DeploymentsAnswer<readonly KeptStatus[]>>>()
  let pages: (() => AsyncIterable<DeploymentsAnswer<readonly KeptDeployment[]>>) | undefined
  const kept: KeptDeployments = {
    pages: async function* () {
      pages ??= readOnce(firstOf(api.list(environment), mostPages))
      for await (const page of pages()) {
        if (page.kind === 'ok') for (const deployment of page.value) read.set(deployment.id, deployment)
        else kept.forget()
        yield page
      }
    },
    deployment: async (id) => {
      const known = read.get(id)
      return known ? { kind: 'ok', value: known } : api.get(id)
    },
    statuses: async (id) => {
      const asked = statuses.get(id) ?? api.statuses(id)
      statuses.set(id, asked)
      const answer = await asked
      if (answer.kind !== 'ok' && statuses.get(id) === asked) statuses.delete(id)
      return answer
    },
    isInactive: async (id) => {
      const known = await statuses.get(id)
      return known?.kind === 'ok' && known.value[0]?.state === 'inactive'
    },
    forget: (id) => {
      if (id === undefined) pages = undefined
      if (id === undefined) statuses.clear()
      else statuses.delete(id)
    }
  }
  return kept
}

async function* firstOf<T>(source: AsyncIterable<T>, most: number): AsyncGenerator<T> {
  let count = 0
  for await (const each of source) {
    yield each
    count += 1
    if (count === most) return
  }
}

/** Many may walk along it, at the same time too: what one has read the others are given. */
function readOnce<T>(source: AsyncGenerator<T>): () => AsyncGenerator<T> {
  const read: Promise<IteratorResult<T, unknown>>[] = []
  return async function* () {
    for (let position = 0; ; position += 1) {
      read[position] ??= source.next()
      const step = await read[position]
      if (step === undefined || step.done) return
      yield step.value
    }
  }
}
