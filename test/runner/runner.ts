import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, join, relative, resolve } from 'node:path'
import { type ActionMetadata, evaluated, inputVariables, readAction } from './action-metadata.ts'
import { parsePairs } from './file-commands.ts'
import { runnerVariables } from './runner-variables.ts'
import { checkSecrets, type Exposed } from './secrets.ts'
import { type Exit, type Grace, type PrintedLine, type StepProcess, startProcess } from './step-process.ts'
import { type Annotation, annotationOf, StepLog, type WorkflowCommand } from './workflow-commands.ts'

export type JobOptions = {
  /** The executable; this process's Node when left out. */
  readonly node?: string
  /** The folder that holds a folder for each action: the repository's `actions` when left out, or a release tree. */
  readonly actions?: string
  /** Runs the scripts that `action.yml` names from this folder instead. */
  readonly dist?: string
  /** What must not show up anywhere unmasked. Asked after each step: a server may have issued tokens meanwhile. */
  readonly secrets?: () => readonly string[]
  /**
   * Files, by their paths in the job's folder, in which secrets are meant to be: an output that is one, a
   * configuration that a tool reads. They may be nowhere else.
   */
  readonly filesForSecrets?: readonly RegExp[]
  /** What `github.token` is. */
  readonly githubToken?: string
  /**
   * More of `secrets`, which children may have in their environment: GitHub's own clients start programs with all that
   * they were started with.
   */
  readonly inheritedSecrets?: () => readonly string[]
  /** Variables on top of the runner's own; `undefined` takes one away. */
  readonly env?: Variables
  readonly event?: { readonly name: string; readonly payload: unknown }
  /** The runner's own when left out: 7500 ms and 2500 ms. */
  readonly grace?: Grace
  /** A step that takes longer (milliseconds; 60 s when left out) is killed, and its result throws. */
  readonly deadline?: number
}

type Variables = Readonly<Record<string, string | undefined>>

export type Step = {
  /** The name of the action's folder. */
  readonly action: string
  readonly inputs: Readonly<Record<string, string>>
  readonly stepEnv?: Variables
  /** Told each line as it is printed. */
  readonly onLine?: (line: PrintedLine) => void
}

/** A step that runs. */
export type RunningStep = Pick<StepProcess, 'pid' | 'cancel' | 'kill' | 'signal'> & {
  readonly result: Promise<StepResult>
}

export type StepResult = Pick<Exit, 'exitCode' | 'signal' | 'duration' | 'leftProcesses'> & {
  readonly lines: readonly PrintedLine[]
  /** What the run's page shows: masked, without the lines that only carry commands. */
  readonly log: string
  readonly commands: readonly WorkflowCommand[]
  readonly annotations: readonly Annotation[]
  readonly outputs: Readonly<Record<string, string>>
  readonly state: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  readonly path: readonly string[]
  /** Markdown. */
  readonly summary: string
  /** What lies in the temporary folders, the workspace and HOME now, relative to the job's folder. */
  readonly files: readonly string[]
}

/** Runs a single step and, whatever came of it, its post step, in a job of their own. */
export async function runAction(options: Step & JobOptions): Promise<{ main: StepResult; post?: StepResult }> {
  const job = new Job(options)
  try {
    const main = await job.run(options)
    const [post] = await job.post()
    return post ? { main, post } : { main }
  } finally {
    job.end()
  }
}

type StartedStep = { readonly action: ActionMetadata; readonly variables: Variables; state: Record<string, string> }

/**
 * A job of GitHub's runner: steps that share a workspace, a temporary folder, variables and masks, followed by their
 * post steps. Each is a process of its own with the variables and files that the runner gives to it and nothing else
 * (https://docs.github.com/actions/reference/workflows-and-actions). A step's result throws `LeakedSecret` when a
 * secret can be read in what it printed, wrote, left behind or gave to a child process.
 */
export class Job {
  /** Holds all other folders of the job. */
  readonly folder: string
  readonly workspace: string
  readonly #options: JobOptions
  readonly #log = new StepLog()
  readonly #variables: Record<string, string | undefined>
  readonly #started: StartedStep[] = []
  #phases = 0
  #status: 'success' | 'failure' | 'cancelled' = 'success'

  constructor(options: JobOptions = {}) {
    this.#options = options
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), 'job-')))
    this.workspace = join(this.folder, 'workspace')
    for (const name of ['workspace', 'temp', 'tools', 'home', 'tmp', 'commands']) mkdirSync(join(this.folder, name))
    writeFileSync(join(this.folder, 'event.json'), JSON.stringify(options.event?.payload ?? {}))
    this.#variables = { ...runnerVariables(this.folder, options.event?.name ?? 'push'), ...options.env }
  }

  run(step: Step): Promise<StepResult> {
    return this.start(step).result
  }

  start({ action: name, inputs, stepEnv, onLine }: Step): RunningStep {
    const action = readAction(join(this.#options.actions ?? defaultActions, name))
    const started = { action, variables: { ...inputVariables(action, inputs), ...stepEnv }, state: {} }
    this.#started.push(started)
    return this.#startPhase(action.main, started.variables, started, onLine)
  }

  /** Runs the post steps of the steps that were started, the last one's first. */
  async post(): Promise<StepResult[]> {
    const results: StepResult[] = []
    for (const started of this.#started.splice(0).reverse()) {
      const state = Object.entries(started.state).map(([name, value]) => [`STATE_${name}`, value])
      const variables = { ...started.variables, ...Object.fromEntries(state) }
      if (started.action.post) results.push(await this.#startPhase(started.action.post, variables, started).result)
    }
    return results
  }

  /** What the job is from now on (`job.status`), as when a step that is none of ours failed. */
  becomes(status: 'failure' | 'cancelled'): void {
    this.#status = status
  }

  /** Removes the job's folders. */
  end(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  #startPhase(script: string, variables: Variables, started: StartedStep, tell?: Step['onLine']): RunningStep {
    const files = this.#commandFiles()
    const lines: PrintedLine[] = []
    const shown: string[] = []
    const commands: WorkflowCommand[] = []
    const onLine = (line: PrintedLine) => {
      const processed = this.#log.process(line.text)
      lines.push(line)
      if (processed.command) commands.push(processed.command)
      if (processed.shown !== undefined) shown.push(processed.shown)
      tell?.(line)
    }
    const { node = process.execPath, dist, grace = runnersGrace, deadline = 60_000 } = this.#options
    const contexts = { 'github.token': this.#options.githubToken ?? '', 'job.status': this.#status }
    const env = defined({ ...this.#variables, ...files, ...evaluated(variables, contexts) })
    const path = dist === undefined ? script : join(dist, basename(script))
    const running = startProcess({ node, script: path, folder: this.workspace, env, grace, deadline, onLine })
    const result = running.exit.then((exit): StepResult => {
      const log = shown.join('\n')
      if (exit.late) throw new Error(`${basename(script)} still ran after ${deadline} ms. It printed:\n${log}`)
      const exposed = [
        { where: 'the log', text: log },
        ...commands.flatMap((command) => this.#exposedBy(command)),
        ...this.#files(this.#options.filesForSecrets).map((file) => ({
          where: file,
          text: readFileSync(join(this.folder, file), 'latin1')
        }))
      ]
      checkSecrets(this.#options.secrets?.() ?? [], [...exposed, ...exit.children])
      const argumentsOfChildren = exit.children.filter(({ kind }) => kind === 'arguments')
      checkSecrets(this.#options.inheritedSecrets?.() ?? [], [...exposed, ...argumentsOfChildren])
      const written = readCommandFiles(files)
      started.state = written.state
      Object.assign(this.#variables, written.env)
      // The last that was added is searched first.
      const added = [...written.path].reverse()
      this.#variables.PATH = [...added, this.#variables.PATH].filter(Boolean).join(delimiter)
      if (exit.exitCode !== 0 && this.#status === 'success') this.#status = 'failure'
      const { exitCode, signal, duration, leftProcesses } = exit
      const annotations = commands.flatMap((command) => annotationOf(command) ?? [])
      const left = this.#files().filter((file) => !file.startsWith('commands') && file !== 'event.json')
      const ended = { exitCode, signal, duration, leftProcesses }
      return { ...ended, lines, log, commands, annotations, ...written, files: left }
    })
    return { pid: running.pid, cancel: running.cancel, kill: running.kill, signal: running.signal, result }
  }

  /** Empty files for what a phase of a step tells the runner, by the variable that names each. */
  #commandFiles(): CommandFiles {
    const folder = join(this.folder, 'commands', String(++this.#phases))
    mkdirSync(folder)
    const file = (name: string) => {
      writeFileSync(join(folder, name), '')
      return join(folder, name)
    }
    return {
      GITHUB_OUTPUT: file('output'),
      GITHUB_STATE: file('state'),
      GITHUB_ENV: file('env'),
      GITHUB_PATH: file('path'),
      GITHUB_STEP_SUMMARY: file('summary')
    }
  }

  /** What a command shows to others; a mask shows nothing. */
  #exposedBy({ name, message }: WorkflowCommand): readonly Exposed[] {
    return name === 'add-mask' ? [] : [{ where: `the command ${name}`, text: this.#log.mask(message) }]
  }

  #files(except: readonly RegExp[] = []): string[] {
    return readdirSync(this.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(this.folder, join(entry.parentPath, entry.name)))
      .filter((file) => !except.some((pattern) => pattern.test(file)))
  }
}

const defaultActions = resolve(import.meta.dirname, '../../actions')

/** https://github.com/actions/runner/blob/main/src/Runner.Sdk/ProcessInvoker.cs */
const runnersGrace: Grace = { afterInterrupt: 7500, afterTerminate: 2500 }

type CommandFiles = Record<
  'GITHUB_OUTPUT' | 'GITHUB_STATE' | 'GITHUB_ENV' | 'GITHUB_PATH' | 'GITHUB_STEP_SUMMARY',
  string
>

function readCommandFiles(files: CommandFiles) {
  const read = (name: keyof CommandFiles) => readFileSync(files[name], 'utf8')
  return {
    outputs: parsePairs(read('GITHUB_OUTPUT')),
    state: parsePairs(read('GITHUB_STATE')),
    env: parsePairs(read('GITHUB_ENV')),
    path: read('GITHUB_PATH').split(/\r?\n/).filter(Boolean),
    summary: read('GITHUB_STEP_SUMMARY')
  }
}

function defined(variables: Variables): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  )
}
