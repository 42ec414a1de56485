import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { hashModule, type ModuleHash, moduleHashFromU256 } from '../../src/module/hash.ts'
import { type EmbeddedServer, startServer } from '../embedded/server.ts'
import { fixtureModule } from '../fixtures.ts'
import { Job, type JobOptions, type RunningStep, type Step, type StepResult } from './runner.ts'

/** The built action as the sources are now (jest's global setup makes it). */
export const dist = resolve(import.meta.dirname, '../../build/dist')

/** What tests need of a server. */
export type TestServer = Pick<EmbeddedServer, 'url' | 'issueToken'> & { close(): Promise<unknown> }

/** A server with a user, for tests that deploy to it: an embedded one, or the one that `STDB_SERVER` names. */
export async function startStage(): Promise<Stage> {
  const given = process.env.STDB_SERVER
  const server = given ? serverAt(given.replace(/\/+$/, '')) : await startServer()
  return new Stage(server, await server.issueToken('owner'))
}

/** A server that is not this test's to end. Whoever asks it for a token is somebody new. */
function serverAt(url: string): TestServer {
  const issueToken = async () => {
    const answer = await fetch(`${url}/v1/identity`, { method: 'POST' })
    return ((await answer.json()) as { token: string }).token
  }
  return { url, issueToken, close: async () => undefined }
}

/** What lies in a job's workspace. */
export type WorkspaceFiles = {
  /** `module.wasm`: a name for `fixtureModule`, `.wasm` left out, or the content of the file; no file is there without it. */
  readonly module?: string | Uint8Array
  /** Texts by their names in the workspace. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
}

export type DeployOptions = JobOptions &
  WorkspaceFiles & {
    readonly database: string
    /** On top of server, database, module and token; an empty one takes one of these away. */
    readonly inputs?: Readonly<Record<string, string>>
    readonly onLine?: Step['onLine']
  }

/** A deploy that is over, post step included. */
export type Deployed = {
  readonly main: StepResult
  readonly post: StepResult
  /** What the output `plan` named, when the main step was over. */
  readonly plan: unknown
  /** The hash of the file that the output `previous-module` named. */
  readonly savedModule: ModuleHash | undefined
}

/** A connection that is kept is closed by the server some time, perhaps just when a busy test sends its next request. */
const onItsOwn = { connection: 'close' }

export class Stage {
  readonly server: TestServer
  /** The owner's. */
  readonly token: string
  /** What must not leak out of any deploy; tests may add to it. */
  readonly secrets: Set<string>
  readonly #run = crypto.randomUUID().slice(0, 8)
  #databases = 0

  constructor(server: TestServer, token: string) {
    this.server = server
    this.token = token
    this.secrets = new Set([token])
  }

  /** Deploys with the built action, on the runner, from start to end. */
  async deploy(options: DeployOptions): Promise<Deployed> {
    const { job, step } = this.startDeploy(options)
    try {
      const main = await step.result
      const plan: unknown = main.outputs.plan && JSON.parse(readFileSync(main.outputs.plan, 'utf8'))
      const saved = main.outputs['previous-module']
      const savedModule = saved ? hashModule(readFileSync(saved)) : undefined
      const [post] = await job.post()
      if (!post) throw new Error('deploy has no post step')
      return { main, post, plan, savedModule }
    } finally {
      job.end()
    }
  }

  /** For tests that interfere while the step runs: the job is theirs to end. */
  startDeploy({ database, module, files = {}, inputs, onLine, secrets, ...options }: DeployOptions): {
    job: Job
    step: RunningStep
  } {
    const known = () => [...this.secrets, ...(secrets?.() ?? [])]
    const job = new Job({ dist, ...options, secrets: known })
    fillWorkspace(job, { ...(module !== undefined && { module }), files })
    const given = { server: this.server.url, database, module: 'module.wasm', token: this.token, ...inputs }
    return { job, step: job.start({ action: 'deploy', inputs: given, ...(onLine && { onLine }) }) }
  }

  /** A database name that was not used before. */
  newDatabase(): string {
    return `game-${this.#run}-${++this.#databases}`
  }

  /** A database that holds a module, published without the action. */
  async databaseWith(module: string): Promise<string> {
    const database = this.newDatabase()
    const answer = await this.publish(database, module)
    if (answer.status !== 200) throw new Error(`${module}: ${answer.status} ${await answer.text()}`)
    return database
  }

  /** Publishes as another tool would: without a plan, by the default policy. */
  publish(database: string, module: string | Uint8Array, token = this.token): Promise<Response> {
    return fetch(`${this.server.url}/v1/database/${database}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, ...onItsOwn },
      body: bytesOf(module)
    })
  }

  /** Calls a reducer as the owner. Throws when it fails. */
  async call(database: string, reducer: string, args: readonly unknown[]): Promise<void> {
    const answer = await fetch(`${this.server.url}/v1/database/${database}/call/${reducer}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json', ...onItsOwn },
      body: JSON.stringify(args)
    })
    if (answer.status !== 200) throw new Error(`${reducer}: ${answer.status} ${await answer.text()}`)
  }

  /** Of the module that the server serves; `undefined` where there is no database. Asked without the action. */
  async liveHash(database: string): Promise<ModuleHash | undefined> {
    const answer = await fetch(`${this.server.url}/v1/database/${database}/sql`, {
      method: 'POST',
      headers: onItsOwn,
      body: 'SELECT program_hash FROM st_module'
    })
    const hash = /0x[0-9a-f]+/i.exec(await answer.text())?.[0]
    return answer.status === 200 && hash !== undefined ? moduleHashFromU256(hash) : undefined
  }
}

export function fillWorkspace({ workspace }: Job, { module, files = {} }: WorkspaceFiles): void {
  if (module !== undefined) writeFileSync(join(workspace, 'module.wasm'), bytesOf(module))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(workspace, name)), { recursive: true })
    writeFileSync(join(workspace, name), content)
  }
}

/** The hash of a fixture. */
export function hashOf(module: string): ModuleHash {
  return hashModule(fixtureModule(fileOf(module)))
}

/** A fixture with other bytes: it declares and does the same, and has another hash. The note is a short text. */
export function otherModule(module: string, note: string): Buffer {
  const section = Buffer.concat([Buffer.from([4]), Buffer.from('note'), Buffer.from(note)])
  return Buffer.concat([fixtureModule(fileOf(module)), Buffer.from([0, section.length]), section])
}

/** Of a fixture, or as they are. */
export function bytesOf(module: string | Uint8Array): Buffer {
  return Buffer.from(typeof module === 'string' ? fixtureModule(fileOf(module)) : module)
}

function fileOf(module: string): string {
  return module.endsWith('.js') ? module : `${module}.wasm`
}
