import { dirname } from 'node:path'
import { type GitHubApi, startGitHubApi } from '../stand-ins/github/api.ts'
import { type Permissions, type RepositoryChoice, resultsRun, shaOf } from '../stand-ins/github/state.ts'
import { type Internet, type InternetOptions, startInternet } from '../stand-ins/internet.ts'
import { type ResultsService, startResultsService } from '../stand-ins/results-service.ts'
import { Job, type JobOptions } from './runner.ts'
import { systemPath } from './runner-variables.ts'

export type GitHubOptions = {
  readonly repository?: RepositoryChoice
  /**
   * Started when it is given: hosts that SpacetimeDB is downloaded from. Then GitHub's API is one of them, under its own
   * name, and what goes wrong with it are faults of the internet.
   */
  readonly internet?: Omit<InternetOptions, 'tokens' | 'otherRepositories'>
}

/** A run of a workflow, for a push to a branch or for a pull request. */
export type WorkflowChoice = {
  readonly branch?: string
  readonly sha?: string
  readonly pullRequest?: {
    readonly number: number
    /** The branch that it goes to; the main one without. */
    readonly base?: string
    /** Whether its branch is in another repository: then nothing is written for it. */
    readonly fromFork?: boolean
    /** What has happened to it; its branch has new commits without it. */
    readonly action?: 'opened' | 'synchronize' | 'reopened' | 'closed'
  }
}

export type WorkflowJob = {
  readonly job: Job
  /** What `github.token` is in it. */
  readonly token: string
}

export type WorkflowJobOptions = JobOptions & {
  /** `permissions:` of the job; reading contents and actions without. */
  readonly permissions?: Permissions
}

/** Starts stand-ins for what jobs reach of GitHub (test/stand-ins), for runs of one repository. */
export async function startGitHub({ repository = {}, internet }: GitHubOptions = {}): Promise<GitHub> {
  const results = await startResultsService()
  const api = await startGitHubApi(results, repository)
  const whole = internet && { ...internet, tokens: api.secrets, otherRepositories: api.answer }
  return new GitHub(results, api, whole && (await startInternet(whole)))
}

export class GitHub {
  readonly results: ResultsService
  readonly api: GitHubApi
  readonly #internet: Internet | undefined
  #lastRun = 7654320

  constructor(results: ResultsService, api: GitHubApi, internet: Internet | undefined) {
    this.results = results
    this.api = api
    this.#internet = internet
  }

  /** Throws when none was asked for. */
  get internet(): Internet {
    if (this.#internet === undefined) throw new Error('startGitHub was given no option `internet`')
    return this.#internet
  }

  /** A run that is under way; its jobs share artifacts. */
  startRun(choice: WorkflowChoice = {}): WorkflowRun {
    const id = ++this.#lastRun
    const { branch = this.api.state.repository.defaultBranch, sha, pullRequest } = choice
    this.api.state.runs.push({
      id,
      branch,
      event: pullRequest ? 'pull_request' : 'push',
      ...(sha && { sha }),
      ...(pullRequest?.fromFork && { headRepositoryId: forkId })
    })
    return new WorkflowRun(this, id, { ...choice, branch, sha: shaOf({ id, ...(sha && { sha }) }) })
  }

  /** The variables that lead to the API, and to the internet if there is one. */
  get reachable(): Readonly<Record<string, string>> {
    return this.#internet?.environment ?? { GITHUB_API_URL: this.api.url }
  }

  async close(): Promise<void> {
    await Promise.all([this.api.close(), this.results.close(), this.#internet?.close()])
  }
}

const forkId = 2222222

export class WorkflowRun {
  /** `GITHUB_RUN_ID`. */
  readonly id: number
  readonly #github: GitHub
  readonly #choice: WorkflowChoice & { readonly branch: string; readonly sha: string }
  #jobs = 0

  constructor(github: GitHub, id: number, choice: WorkflowChoice & { branch: string; sha: string }) {
    this.#github = github
    this.id = id
    this.#choice = choice
  }

  /**
   * A job of the run, which is the test's to end. Nothing that the services gave out may show up anywhere in it, but the
   * runtime token in the environment of programs that GitHub's clients start. Programs that Node runs are found in PATH.
   */
  startJob({ permissions, env, secrets, inheritedSecrets, ...options }: WorkflowJobOptions = {}): WorkflowJob {
    const { api, results, reachable } = this.#github
    const token = api.issueToken(permissions)
    const name = `job-${++this.#jobs}`
    const { GITHUB_REF: ref = '' } = this.#variables
    const cache = this.#choice.pullRequest?.fromFork ? ('read' as const) : ('write' as const)
    const services = results.environmentOf({ run: resultsRun(this.id), job: name, ref, cache })
    const job = new Job({
      event: { name: this.#choice.pullRequest ? 'pull_request' : 'push', payload: this.#payload },
      githubToken: token,
      ...options,
      env: { ...this.#variables, ...reachable, ...services, GITHUB_JOB: name, ...env },
      secrets: () => [...api.secrets, ...(secrets?.() ?? [])],
      inheritedSecrets: () => [...results.secrets, ...(inheritedSecrets?.() ?? [])]
    })
    return { job, token }
  }

  get #variables(): Record<string, string> {
    const { owner, name, id, defaultBranch } = this.#github.api.state.repository
    const { branch, sha, pullRequest } = this.#choice
    const refName = pullRequest ? `${pullRequest.number}/merge` : branch
    return {
      ...(process.platform !== 'win32' && { PATH: `${dirname(process.execPath)}:${systemPath}` }),
      GITHUB_REPOSITORY: `${owner}/${name}`,
      GITHUB_REPOSITORY_ID: String(id),
      GITHUB_REPOSITORY_OWNER: owner,
      GITHUB_RUN_ID: String(this.id),
      GITHUB_SHA: sha,
      GITHUB_REF: pullRequest ? `refs/pull/${refName}` : `refs/heads/${refName}`,
      GITHUB_REF_NAME: refName,
      ...(pullRequest && { GITHUB_HEAD_REF: branch, GITHUB_BASE_REF: pullRequest.base ?? defaultBranch })
    }
  }

  /** The part of GitHub's event that tells where a change comes from (https://docs.github.com/webhooks). */
  get #payload(): unknown {
    const { owner, name, id, isPrivate, defaultBranch } = this.#github.api.state.repository
    const { branch, sha, pullRequest } = this.#choice
    const repository = {
      id,
      full_name: `${owner}/${name}`,
      private: isPrivate,
      default_branch: defaultBranch,
      fork: false
    }
    if (pullRequest === undefined) return { ref: `refs/heads/${branch}`, after: sha, repository }
    const { number, base = defaultBranch, fromFork = false, action = 'synchronize' } = pullRequest
    const headRepository = fromFork ? { ...repository, id: forkId, full_name: `hubot/${name}`, fork: true } : repository
    const head = { ref: branch, sha, repo: headRepository }
    return { action, number, pull_request: { number, head, base: { ref: base, repo: repository } }, repository }
  }
}
