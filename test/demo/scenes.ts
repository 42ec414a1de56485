/** A deploy of the demo: what is deployed, why one would, and how it must end. */
export type Scene = {
  readonly title: string
  readonly story: string
  /** A module of test/fixtures/modules. */
  readonly module: string
  /** On top of server, database, module and token. */
  readonly inputs: Readonly<Record<string, string>>
  readonly expected: {
    readonly result: string
    readonly exitCode: number
    /** The module that the server serves afterwards. */
    readonly live: string
  }
}

/** One database's life, release by release. */
export const scenes: readonly Scene[] = [
  {
    title: 'The first release',
    story: 'There is no database of this name yet. `create: true` says that this is no misspelt name.',
    module: 'counter',
    inputs: { create: 'true' },
    expected: { result: 'created', exitCode: 0, live: 'counter' }
  },
  {
    title: 'A release that is not healthy',
    story:
      'Its `health_check` reducer returns an error, so the module that was live before is published again. The job fails: a deploy that was rolled back is none.',
    module: 'counter-unhealthy',
    inputs: {},
    expected: { result: 'rolled-back', exitCode: 1, live: 'counter' }
  },
  {
    title: 'A release that adds',
    story: 'One table, one index and one reducer more. Clients that run now notice nothing.',
    module: 'counter-additive',
    inputs: {},
    expected: { result: 'updated', exitCode: 0, live: 'counter-additive' }
  },
  {
    title: 'A release that breaks clients',
    story: "A reducer takes another parameter. The server's own plan does not see it; comparing the two modules does.",
    module: 'counter-reducer-param',
    inputs: {},
    expected: { result: 'refused', exitCode: 1, live: 'counter-additive' }
  },
  {
    title: 'A release without a way back',
    story:
      "Breaking clients is allowed this time. But columns once added can't be taken back: that needs a yes of its own.",
    module: 'counter-new-columns',
    inputs: { 'allow-breaking-clients': 'true' },
    expected: { result: 'refused', exitCode: 1, live: 'counter-additive' }
  },
  {
    title: 'The same again',
    story: 'The job of the third release is run again. Its module is live already, so only the health is checked.',
    module: 'counter-additive',
    inputs: {},
    expected: { result: 'unchanged', exitCode: 0, live: 'counter-additive' }
  }
]
