import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'
import { root } from '../../scripts/repository.ts'
import { type ModuleHash, moduleHashFromU256 } from '../../src/module/hash.ts'
import { type EmbeddedServer, startServer } from '../embedded/server.ts'
import { fixtureModule } from '../fixtures.ts'
import { installDocker, registryIn } from '../runner/docker-stage.ts'
import { type GitHub, startGitHub } from '../runner/github.ts'
import { node24 } from '../runner/node24.ts'
import { type IdTokens, startIdTokens } from '../runner/oidc.ts'
import { checkSecrets } from '../runner/secrets.ts'
import type { DeploymentState } from '../stand-ins/github/operations/deployments.ts'
import { shaOf } from '../stand-ins/github/state.ts'
import type { Host } from '../stand-ins/http-answer.ts'
import { type RegistryStandIn, startRegistry } from '../stand-ins/registry.ts'
import { installRustToolchain } from '../stand-ins/rust-toolchain.ts'
import { type Outcome, outcomeOf } from './act-log.ts'
import { type Interruption, runAct } from './act-process.ts'
import { type PullRequestEvent, triggeredBy, type WorkflowEvent } from './event.ts'
import { GameRepository } from './game-repository.ts'
import { writeJobVariables } from './job-variables.ts'
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

/** A SpacetimeDB server, which jobs reach by its name over TLS. */
export type NamedServer = {
  readonly url: string
  /** The owner's of what it publishes. */
  readonly token: string
  /** Publishes a fixture as another tool would. Throws when that fails. */
  publish(database: string, module: string): Promise<void>
  /** Of the module that a database has; `undefined` where there is none. */
  liveHash(database: string): Promise<ModuleHash | undefined>
  close(): Promise<unknown>
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
  const containers = await namedServer(await startServer())
  const stage = new WorkflowStage({ github, idTokens: await startIdTokens(), registry, containers })
  for (const host of servers) {
    const server = await startServer()
    ports.set(host, portOf(server.url))
    stage.servers.set(host, await namedServer(server))
  }
  return stage
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}

async function namedServer({ url, issueToken, close }: EmbeddedServer): Promise<NamedServer> {
  const token = await issueToken('owner')
  const ask = async (path: string, request: RequestInit) => {
    const answer = await fetch(`${url}/v1/database/${path}`, request)
    return { ok: answer.ok, text: await answer.text() }
  }
  return {
    url,
    token,
    publish: async (database, module) => {
      const body = fixtureModule(`${module}.wasm`)
      const { ok, text } = await ask(database, { method: 'PUT', headers: { authorization: `Bearer ${token}` }, body })
      if (!ok) throw new Error(text)
    },
    liveHash: async (database) => {
      const { ok, text } = await ask(`${database}/sql`, { method: 'POST', body: 'SELECT program_hash FROM st_module' })
      const hash = /0x[0-9a-f]+/i.exec(text)?.[0]
      return ok && hash !== undefined ? moduleHashFromU256(hash) : undefined
    },
    close
  }
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
    const path = `.github/workflows/${file}`
    const sha = this.repository.commit({ [path]: workflow.text })
    if (event.kind === 'tag') this.repository.tag(event.tag)
    const { name, ref, payload } = triggeredBy(event, sha, this.github.api.state)
    const folder = join(this.#folder, `run-${++this.#runs}`)
    mkdirSync(join(folder, 'home'), { recursive: true })
    const isFromFork = event.kind === 'pull_request' && event.isFromFork === true
    const given = isFromFork ? {} : secrets
    const pullRequest = event.kind === 'pull_request' ? { number: event.number, fromFork: isFromFork } : undefined
    const branch = event.kind === 'pull_request' ? { branch: event.branch } : {}
    const run = this.github.startRun({ ...branch, sha, ...(pullRequest && { pullRequest }) })
    if (event.kind === 'pull_request') this.#showPullRequest(event, sha)
    const givenToken = `ghs_given${crypto.randomUUID().replaceAll('-', '')}`
    const { api, results } = this.github
    const services = { api, results, idTokens: this.idTokens }
    const ofJobs = { workflow, folder, run: run.id, ref, isFromFork, givenToken, ...services }
    const hidden = { GITHUB_TOKEN: givenToken, ...writeJobVariables(ofJobs), ...given }
    const write = (name: string, content: object) => {
      writeFileSync(join(folder, name), JSON.stringify(content))
      return join(folder, name)
    }
    const lines = await runAct({
      program: `${STDB_ACT}`,
      folder: this.repository.folder,
      env: this.#environment(folder),
      deadline: 240_000,
      interruption,
      args: [
        name,
        ...['--json', '--rm', '--no-cache-server', '--no-skip-checkout', '--workflows', path],
        ...['--platform', 'ubuntu-latest=-self-hosted', '--concurrent-jobs', '1', '--actor', 'octocat'],
        ...['--action-cache-path', join(folder, 'act'), '--eventpath', write('event.json', payload)],
        ...['--secret-file', write('secrets.yml', hidden), '--var-file', write('variables.yml', variables)],
        ...['--env-file', write('env.yml', this.#variables(workflow, run.id, ref))],
        ...localRepositories(workflow)
      ]
    })
    const outcome = outcomeOf(workflow.jobs.keys(), lines)
    writeLog(`${basename(file, '.yml')}-${this.#runs}.log`, outcome.log)
    const known = [...Object.values(hidden), ...api.secrets, ...results.secrets, ...this.idTokens.secrets]
    checkSecrets(known, [
      { where: 'the log', text: outcome.log },
      ...outcome.summaries.map(({ job, text }) => ({ where: `a summary of ${job}`, text }))
    ])
    const conclusion = Object.values(outcome.jobs).includes('failure') ? 'failure' : 'success'
    const runs = api.state.runs
    const index = runs.findIndex(({ id }) => id === run.id)
    runs[index] = { ...runs[index], id: run.id, sha: shaOf({ id: run.id, sha }), conclusion }
    rmSync(folder, { recursive: true, force: true })
    return outcome
  }

  /** Throws when GitHub was asked wrongly. */
  async close(): Promise<void> {
    const servers = [this.containers, ...this.servers.values()].map((server) => server.close())
    rmSync(this.#folder, { recursive: true, force: true })
    await Promise.all([...servers, this.github.close(), this.idTokens.close(), this.registry.close()])
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
  #variables({ file }: Workflow, run: number, ref: string): Record<string, string> {
    const { owner, id } = this.github.api.state.repository
    const { fullName } = this.github.api.state
    return {
      GITHUB_REPOSITORY: fullName,
      GITHUB_REPOSITORY_ID: String(id),
      GITHUB_REPOSITORY_OWNER: owner,
      GITHUB_RUN_ID: String(run),
      GITHUB_RUN_NUMBER: String(this.#runs),
      GITHUB_TRIGGERING_ACTOR: 'octocat',
      GITHUB_WORKFLOW_REF: `${fullName}/.github/workflows/${file}@${ref}`,
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

/** Our own actions come from the release tree, those of others from stand-ins. */
function localRepositories({ jobs }: Workflow): string[] {
  const folderOf = (use: Use) => (use.repository === 'org/stdb-actions' ? `${STDB_RELEASE_TREE}` : standInFor(use))
  const uses = [...jobs.values()].flatMap((job) => job.uses)
  const places = uses.map((use) => `${use.repository}@${use.ref}=${folderOf(use)}`)
  return [...new Set(places)].flatMap((place) => ['--local-repository', place])
}
