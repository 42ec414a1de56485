import { stripVTControlCharacters } from 'node:util'
import { ProgramMissing, type Ran } from '../process.ts'
import type { BuildTools } from './build.ts'
import type { Complaint } from './complaint.ts'
import type { BuildOptions } from './options.ts'
import type { ModuleProject } from './project.ts'

/** How a builder's work ended. */
export type Outcome =
  | { readonly kind: 'built'; readonly file: string; readonly complaints: readonly Complaint[] }
  | { readonly kind: 'failed'; readonly reason: string; readonly complaints: readonly Complaint[] }

/** How a program of a build is run. */
export type ProgramOptions = {
  /** The project's without it. */
  readonly folder?: string
  /** Variables besides those of the build. */
  readonly variables?: Readonly<Record<string, string>>
  /** Says and keeps nothing of what it prints: a question, not a part of the build. */
  readonly quiet?: boolean
  /** Told each line instead of it being said. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void
}

/** No build takes longer, and no step of GitHub's runners may take longer than six. */
const longest = 2 * 60 * 60 * 1000

/** One build: what is built, with what, and what has been printed. */
export class Job {
  readonly project: ModuleProject
  readonly options: BuildOptions
  readonly tools: BuildTools
  /** What programs get. */
  environment: Readonly<Record<string, string>>
  /** The versions of the programs that took part. */
  readonly versions: Record<string, string> = {}
  readonly #lines: string[] = []

  constructor(
    project: ModuleProject,
    options: BuildOptions,
    tools: BuildTools,
    environment: Readonly<Record<string, string>>
  ) {
    this.project = project
    this.options = options
    this.tools = tools
    this.environment = environment
  }

  /** Runs a program of the build, and says what it prints. Throws `ProgramMissing`. */
  async run(program: string, args: readonly string[], options: ProgramOptions = {}): Promise<Ran> {
    const { folder = this.project.folder, variables, quiet = false } = options
    const onLine = options.onLine ?? ((line: string) => this.say(line))
    if (!quiet) this.say(`$ ${[program, ...args].join(' ')}`)
    return this.tools.run(
      { program, args, folder, environment: { ...this.environment, ...variables } },
      { signal: this.tools.signal, timeout: longest, ...(!quiet && { onLine }) }
    )
  }

  /** A line for the log, which is kept for the case of failure. */
  say(line: string): void {
    this.tools.say(line)
    this.#lines.push(line)
    if (this.#lines.length > keptLines) this.#lines.shift()
  }

  /** The last lines that were said, without colours. */
  get output(): string {
    return stripVTControlCharacters(this.#lines.join('\n'))
  }

  /** What a program answers, without the space around it; `undefined` when there is none, or it fails. */
  async ask(program: string, args: readonly string[]): Promise<string | undefined> {
    try {
      const { exitCode, stdout } = await this.run(program, args, { quiet: true })
      return exitCode === 0 ? stdout.trim() : undefined
    } catch (error) {
      if (error instanceof ProgramMissing) return undefined
      throw error
    }
  }

  /** Notes a program's version, the first line that it prints for `--version`. */
  async noteVersion(name: string, program = name, args: readonly string[] = ['--version']): Promise<void> {
    const version = (await this.ask(program, args))?.split('\n', 1)[0]
    if (version) this.versions[name] = version
  }
}

const keptLines = 60

/** How a program of a build ended, when not well. */
export function endOf(program: string, { exitCode, endedFor }: Ran): string {
  if (endedFor === 'cancelled') return 'The build was cancelled.'
  if (endedFor === 'timeout') return `\`${program}\` took longer than ${longest / 3_600_000} hours, and was ended.`
  return `\`${program}\` failed (${exitCode === undefined ? 'ended by a signal' : `exit code ${exitCode}`}).`
}
