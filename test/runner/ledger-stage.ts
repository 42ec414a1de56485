import { hashModule } from '../../src/module/hash.ts'
import type { GitHubRequest } from '../stand-ins/github/api.ts'
import type { Deployment, DeploymentState } from '../stand-ins/github/operations/deployments.ts'
import { initialCommit, type Permissions } from '../stand-ins/github/state.ts'
import { type GitHub, type GitHubOptions, startGitHub, type WorkflowRun } from './github.ts'
import type { Job, JobOptions, RunningStep, Step, StepResult } from './runner.ts'
import { bytesOf, dist, fillWorkspace, type Stage, startStage, type WorkspaceFiles } from './stage.ts'

export type LedgerStepOptions = Omit<JobOptions, 'githubToken'> &
  WorkspaceFiles & {
    readonly database: string
    /** On top of server, database and token, and of `module` where there is one; an empty one takes one of these away. */
    readonly inputs?: Readonly<Record<string, string>>
    /** Another run than one of its own, for a push to the main branch. */
    readonly run?: WorkflowRun
    /** What a workflow with a ledger gives, without it: `contents: read`, `actions: read`, `deployments: write`. */
    readonly permissions?: Permissions
    readonly onLine?: Step['onLine']
  }

/** A release of long ago. */
export type PastRelease = {
  /** A fixture's name, or the content of the file. */
  readonly module: string | Uint8Array
  /** Whether it had to be rolled back. */
  readonly hasFailed?: boolean
}

/** A step that is over, post step included. */
export type LedgerStep = { readonly main: StepResult; readonly post: StepResult; readonly run: WorkflowRun }

/** What GitHub has of a release. */
export type LedgerEntry = Pick<Deployment, 'id' | 'environment' | 'payload' | 'ref' | 'sha' | 'description'> & {
  /** The oldest first. */
  readonly states: readonly DeploymentState[]
  /** Of each status. */
  readonly descriptions: readonly string[]
}

/** A server with a user and GitHub with a repository, for built actions that run there as GitHub runs them. */
export async function startLedgerStage(options: GitHubOptions = {}): Promise<LedgerStage> {
  const [stage, github] = await Promise.all([startStage(), startGitHub(options)])
  return new LedgerStage(stage, github)
}

export class LedgerStage {
  readonly stage: Stage
  readonly github: GitHub

  constructor(stage: Stage, github: GitHub) {
    this.stage = stage
    this.github = github
  }

  /** Runs an action in a job of its own, from start to end. */
  async run(action: string, options: LedgerStepOptions): Promise<LedgerStep> {
    const { job, step, run } = this.start(action, options)
    try {
      const main = await step.result
      const [post] = await job.post()
      if (!post) throw new Error(`${action} has no post step`)
      return { main, post, run }
    } finally {
      job.end()
    }
  }

  /** Runs the main step alone, for tests that look at nothing else: a post step takes as long as many a main step. */
  async runMain(action: string, options: LedgerStepOptions): Promise<Omit<LedgerStep, 'post'>> {
    const { job, step, run } = this.start(action, options)
    try {
      return { main: await step.result, run }
    } finally {
      job.end()
    }
  }

  /** For tests that interfere while the step runs: the job is theirs to end. */
  start(action: string, options: LedgerStepOptions): { job: Job; step: RunningStep; run: WorkflowRun } {
    const { database, module, files = {}, inputs, onLine, permissions = usualPermissions, secrets, ...rest } = options
    const { run = this.github.startRun(), ...jobOptions } = rest
    const known = () => [...this.stage.secrets, ...(secrets?.() ?? [])]
    const { job } = run.startJob({ dist, ...jobOptions, permissions, secrets: known })
    fillWorkspace(job, { ...(module !== undefined && { module }), files })
    const { url: server } = this.stage.server
    const usual = { server, database, token: this.stage.token, ...(module !== undefined && { module: 'module.wasm' }) }
    return { job, step: job.start({ action, inputs: { ...usual, ...inputs }, ...(onLine && { onLine }) }), run }
  }

  /**
   * A new database with a past, the oldest release first: each is in the ledger under the database's name, with its module
   * as a file of a GitHub release. Without a release there is no database.
   */
  async databaseAfter(releases: readonly PastRelease[]): Promise<string> {
    const database = this.stage.newDatabase()
    for (const [index, release] of releases.entries()) {
      const module = bytesOf(release.module)
      const tag = `${database}-v${index + 1}`
      this.github.api.state.addRelease(tag, { 'game.wasm': module })
      if (!release.hasFailed) await this.#publish(database, module)
      this.#writeDown(database, release, { moduleHash: hashModule(module), ref: `refs/tags/${tag}` }, index === 0)
    }
    return database
  }

  async #publish(database: string, module: Uint8Array): Promise<void> {
    const answer = await this.stage.publish(database, module)
    if (answer.status !== 200) throw new Error(`${database}: ${answer.status} ${await answer.text()}`)
  }

  #writeDown(database: string, { hasFailed = false }: PastRelease, known: object, isFirst: boolean): void {
    const { state } = this.github.api
    const result = hasFailed ? 'rolled-back' : isFirst ? 'created' : 'updated, checked'
    const made = { environment: database, creator: 'github-actions[bot]', createdAt: state.timestamp() }
    const ended = { description: result, environmentUrl: '', logUrl: '' }
    const replaced = { ...ended, description: '' }
    const before = state.deployments.findLast(
      (each) => each.environment === database && each.statuses.at(-1)?.state === 'success'
    )
    if (!hasFailed) before?.statuses.push({ ...made, ...replaced, id: state.newId(), state: 'inactive' })
    state.environments.add(database)
    state.deployments.push({
      ...made,
      id: state.newId(),
      ref: state.repository.defaultBranch,
      sha: initialCommit,
      task: 'stdb-actions',
      payload: { version: 1, action: 'deploy', server: this.stage.server.url, database, ...known },
      description: null,
      isTransient: false,
      isProduction: false,
      statuses: [{ ...made, ...ended, id: state.newId(), state: hasFailed ? 'failure' : 'success' }]
    })
  }

  /** Has requests to GitHub that fit wait for each other, until there are so many. */
  holdUntil(count: number, on: (request: GitHubRequest) => boolean): void {
    let missing = count
    let go: () => void = () => undefined
    const until = new Promise<void>((resolve) => {
      go = resolve
    })
    const isOne = (request: GitHubRequest) => {
      const fits = missing > 0 && on(request)
      if (fits) missing -= 1
      if (missing === 0) go()
      return fits
    }
    this.github.api.holds.push({ on: isOne, until })
  }

  /** What GitHub has of an environment's releases, the oldest first. */
  entries(environment: string): LedgerEntry[] {
    const deployments = this.github.api.state.deployments.filter((each) => each.environment === environment)
    return deployments.map(({ id, payload, ref, sha, description, statuses }) => ({
      id,
      environment,
      payload,
      ref,
      sha,
      description,
      states: statuses.map(({ state }) => state),
      descriptions: statuses.map((status) => status.description)
    }))
  }

  /** Throws when GitHub was asked wrongly. */
  async close(): Promise<void> {
    await Promise.all([this.stage.server.close(), this.github.close()])
  }
}

const usualPermissions: Permissions = { contents: 'read', actions: 'read', deployments: 'write' }
