import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'
import { root } from '../../scripts/repository.ts'
import { installDocker, registryIn } from '../runner/docker-stage.ts'
import { type GitHub, startGitHub } from '../runner/github.ts'
import { node24 } from '../runner/node24.ts'
import { type IdTokens, startIdTokens } from '../runner/oidc.ts'
import { checkSecrets } from '../runner/secrets.ts'
import type { DeploymentState } from '../stand-ins/github/operations/deployments.ts'
import type { Host } from '../stand-ins/http-answer.ts'
import { type RegistryStandIn, startRegistry } from '../stand-ins/registry.ts'
import { installRustToolchain } from '../stand-ins/rust-toolchain.ts'
import { type Outcome, outcomeOf } from './act-log.ts'
import { type Interruption, runAct } from './act-process.ts'
import { type PullRequestEvent, triggeredBy, type WorkflowEvent } from './event.ts'
import { GameRepository } from './game-repository.ts'
import { writeJobVariables } from './job-variables.ts'
import { type NamedServer, portOf, startNamedServer } from './named-server.ts'
import { standInFor } from './stand-in-actions.ts'
import { readWorkflow, type Use, type Workflow } from './workflow.ts'

/** What `npm run test:workflows` has made (main.ts). */
const { STDB_ACT, STDB_RELEASE_TREE } = process.env

export type RunOptions = {
  /** A file of workflows-examples. */
  readonly workflow: string
  readonly event: WorkflowEvent
  /** Of the repository and of all environments alike, by their names. A fork's pull request gets none. */
  readonly secrets?: Readonly<Record<string, string>>
  readonly variables?: Readonly<Record<string, string>>
  readonly interruption?: Interruption
}

/** What the environments of a test have. */
export const variables = {
  SPACETIMEDB_SERVER: 'https://stdb.example.org',
  SPACETIMEDB_DATABASE: 'my-game',
  SPACETIMEDB_SOAK: '1s'
}

/** Starts what workflows reach: GitHub's services, SpacetimeDB's releases, servers by their names, and other hosts. */
export async function startWorkflowStage(
  servers: readonly string[] = ['stdb.example.org'],
  hosts: Readonly<Record<string, Host>> = {}
): Promise<WorkflowStage> {
  const github = await startGitHub({ internet: { hosts } })
  const ports = github.internet.servers
  const { users } = github.api.state
  const isUser = (_: string, password: string) => users.get(password)?.permissions.packages === 'write'
  const registry = await startRegistry({ login: 'bearer', location: 'relative', isUser })
  const { contents, host } = registry
  ports.set('ghcr.io', portOf(`http://${host}`)).set('tokens.ghcr.io', portOf(contents.addresses.tokens))
  contents.addresses = { ...contents.addresses, tokens: 'https://tokens.ghcr.io' }
  const containers = await startNamedServer()
  const stage = new WorkflowStage({ github, idTokens: await startIdTokens(), registry, containers })
  for (const host of servers) {
    const server = await startNamedServer()
    ports.set(host, portOf(server.url))
    stage.servers.set(host, server)
  }
  return stage
}

type Services = Pick<WorkflowStage, 'github' | 'idTokens' | 'registry' | 'containers'>

export class WorkflowStage {
  readonly github: GitHub
  readonly idTokens: IdTokens
  /** By their hosts. */
  readonly servers = new Map<string, NamedServer>()
  /** What is reached as ghcr.io by those whose token may write packages. docker's images are in `images`. */
  readonly registry: RegistryStandIn
  /** What answers in each container that docker is told to run. */
  readonly containers: NamedServer
  readonly repository: GameRepository
  readonly #folder = realpathSync(mkdtempSync(join(tmpdir(), 'workflows-')))
  readonly #machine = join(this.#folder, 'machine')
  #runs = 0

  constructor({ github, idTokens, registry, containers }: Services) {
    this.github = github
    this.idTokens = idTokens
    this.registry = registry
    this.containers = containers
    this.repository = new GameRepository(join(this.#folder, 'repository'))
    installRustToolchain(this.#machine)
    installDocker(this.#machine, { port: portOf(containers.url) })
  }

  /** Throws when there is none of this name. */
  server(host = 'stdb.example.org'): NamedServer {
    const server = this.servers.get(host)
    if (server === undefined) throw new Error(`there is no server ${host}`)
    return server
  }

  /** The last state of each of an environment's deployments, the oldest first. */
  deployments(environment: string): (DeploymentState | undefined)[] {
    const own = this.github.api.state.deployments.filter((each) => each.environment === environment)
    return own.map(({ statuses }) => statuses.at(-1)?.state)
  }

  /** Digests of what docker has pushed, by names. */
  get images(): Readonly<Record<string, string>> {
    return registryIn(this.#machine)
  }

  /**
   * Runs a workflow of the newest commit by act, as it is. Throws `LeakedSecret` when a secret can be read in the log or
   * in a summary.
   */
  async run({ workflow: file, event, secrets = {}, variables = {}, interruption }: RunOptions): Promise<Outcome> {
    const workflow = readWorkflow(file)
    const sha = this.repository.commit({ [pathOf(workflow)]: workflow.text })
    if (event.kind === 'tag') this.repository.tag(event.tag)
    const trigger = triggeredBy(event, sha, this.github.api.state)
    const folder = join(this.#folder, `run-${++this.#runs}`)
    mkdirSync(join(folder, 'home'), { recursive: true })
    const isFromFork = event.kind === 'pull_request' && event.isFromFork === true
    const id = this.#startRun(event, sha)
    const givenToken = `ghs_given${crypto.randomUUID().replaceAll('-', '')}`
    const { api, results } = this.github
    const services = { api, results, idTokens: this.idTokens }
    const ofJobs = writeJobVariables({
      workflow,
      folder,
      run: id,
      ref: trigger.ref,
      isFromFork,
      givenToken,
      ...services
    })
    const hidden = { GITHUB_TOKEN: givenToken, ...ofJobs, ...(isFromFork ? {} : secrets) }
    const files = {
      eventpath: trigger.payload,
      'secret-file': hidden,
      'var-file': variables,
      'env-file': this.#variables(workflow, id, trigger.ref)
    }
    const lines = await runAct({
      program: `${STDB_ACT}`,
      folder: this.repository.folder,
      env: this.#environment(folder),
      deadline: 240_000,
      interruption,
      args: [trigger.name, ...actArguments(workflow, folder), ...writeFiles(folder, files)]
    })
    const outcome = outcomeOf(workflow.jobs.keys(), lines)
    writeLog(`${basename(file, '.yml')}-${this.#runs}.log`, outcome.log)
    checkOutcome(outcome, [...Object.values(hidden), ...api.secrets, ...results.secrets, ...this.idTokens.secrets])
    this.#endRun(id, outcome)
    rmSync(folder, { recursive: true, force: true })
    return outcome
  }

  /** Throws when GitHub was asked wrongly. */
  async close(): Promise<void> {
    const servers = [this.containers, ...this.servers.values()].map((server) => server.close())
    rmSync(this.#folder, { recursive: true, force: true })
    await Promise.all([...servers, this.github.close(), this.idTokens.close(), this.registry.close()])
  }

  /** `GITHUB_RUN_ID`. */
  #startRun(event: WorkflowEvent, sha: string): number {
    if (event.kind !== 'pull_request') return this.github.startRun({ sha }).id
    this.#showPullRequest(event, sha)
    const { number, branch, isFromFork: fromFork = false } = event
    return this.github.startRun({ branch, sha, pullRequest: { number, fromFork } }).id
  }

  /** GitHub says from now on how it ended. */
  #endRun(id: number, { jobs }: Outcome): void {
    const { runs } = this.github.api.state
    const conclusion = Object.values(jobs).includes('failure') ? 'failure' : 'success'
    const ended = runs.map((each) => (each.id === id ? ({ ...each, conclusion } as const) : each))
    runs.splice(0, runs.length, ...ended)
  }

  #showPullRequest({ number, branch, action, isFromFork }: PullRequestEvent, sha: string): void {
    const { pullRequests, repository } = this.github.api.state
    const known = pullRequests.findIndex((each) => each.number === number)
    const state = action === 'closed' ? ('closed' as const) : ('open' as const)
    const pullRequest = { number, owner: isFromFork ? 'hubot' : repository.owner, branch, sha, state }
    pullRequests.splice(known < 0 ? pullRequests.length : known, 1, pullRequest)
  }

  /** Of act itself: steps get all of it, what the machine of a job has. */
  #environment(folder: string): Record<string, string> {
    const path = [this.#machine, dirname(node24() ?? process.execPath), '/usr/local/bin', '/usr/bin', '/bin']
    return {
      PATH: path.join(delimiter),
      HOME: join(folder, 'home'),
      LANG: 'C.UTF-8',
      ...this.github.reachable,
      // curl, and programs in Go and Rust.
      CURL_CA_BUNDLE: this.github.reachable.NODE_EXTRA_CA_CERTS ?? '',
      SSL_CERT_FILE: this.github.reachable.NODE_EXTRA_CA_CERTS ?? '',
      NODE_OPTIONS: `--require ${join(import.meta.dirname, 'job-variables.cjs')}`,
      BASH_ENV: join(import.meta.dirname, 'job-variables.sh'),
      STAND_IN_JOBS: folder,
      STAND_IN_REPOSITORY: this.repository.folder
    }
  }

  /** What GitHub tells a job of its run, and act doesn't know. */
  #variables(workflow: Workflow, run: number, ref: string): Record<string, string> {
    const { owner, id } = this.github.api.state.repository
    const { fullName } = this.github.api.state
    return {
      GITHUB_REPOSITORY: fullName,
      GITHUB_REPOSITORY_ID: String(id),
      GITHUB_REPOSITORY_OWNER: owner,
      GITHUB_RUN_ID: String(run),
      GITHUB_RUN_NUMBER: String(this.#runs),
      GITHUB_TRIGGERING_ACTOR: 'octocat',
      GITHUB_WORKFLOW_REF: `${fullName}/${pathOf(workflow)}@${ref}`,
      RUNNER_ENVIRONMENT: 'github-hosted'
    }
  }
}

/** For whoever looks into why a test fails. */
function writeLog(name: string, log: string): void {
  const folder = join(root, 'build/workflows/logs')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name), log)
}

function pathOf({ file }: Workflow): string {
  return `.github/workflows/${file}`
}

function actArguments(workflow: Workflow, folder: string): string[] {
  return [
    ...['--json', '--rm', '--no-cache-server', '--no-skip-checkout', '--workflows', pathOf(workflow)],
    ...['--platform', 'ubuntu-latest=-self-hosted', '--concurrent-jobs', '1', '--actor', 'octocat'],
    ...['--action-cache-path', join(folder, 'act')],
    ...localRepositories(workflow)
  ]
}

/** Files for options of act that read YAML or JSON, and those options. */
function writeFiles(folder: string, contents: Readonly<Record<string, object>>): string[] {
  return Object.entries(contents).flatMap(([option, content]) => {
    const path = join(folder, `${option}.yml`)
    writeFileSync(path, JSON.stringify(content))
    return [`--${option}`, path]
  })
}

/** Throws `LeakedSecret` when one of the secrets can be read. */
function checkOutcome({ log, summaries }: Outcome, secrets: readonly string[]): void {
  const ofSummaries = summaries.map(({ job, text }) => ({ where: `a summary of ${job}`, text }))
  checkSecrets(secrets, [{ where: 'the log', text: log }, ...ofSummaries])
}

/** Our own actions come from the release tree, those of others from stand-ins. */
function localRepositories({ jobs }: Workflow): string[] {
  const folderOf = (use: Use) => (use.repository === 'org/stdb-actions' ? `${STDB_RELEASE_TREE}` : standInFor(use))
  const uses = [...jobs.values()].flatMap((job) => job.uses)
  const places = uses.map((use) => `${use.repository}@${use.ref}=${folderOf(use)}`)
  return [...new Set(places)].flatMap((place) => ['--local-repository', place])
}
