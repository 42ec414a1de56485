/** A line by which an action tells the runner something, such as `::error title=No::What happened`. */
export type WorkflowCommand = {
  readonly name: string
  readonly properties: Readonly<Record<string, string>>
  readonly message: string
}

/** What a step shows on the run's page. */
export type Annotation = {
  readonly level: 'error' | 'warning' | 'notice'
  readonly title: string | undefined
  readonly file: string | undefined
  readonly line?: number | undefined
  readonly message: string
}

/** The commands that the runner knows (ActionCommandManager); anything else that looks like one is plain text. */
const commandNames = new Set([
  'add-mask',
  'add-matcher',
  'add-path',
  'debug',
  'echo',
  'endgroup',
  'error',
  'group',
  'notice',
  'remove-matcher',
  'save-state',
  'set-env',
  'set-output',
  'stop-commands',
  'warning'
])

/**
 * The command on a line, or `undefined` for plain text, by the rules of the runner
 * (https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs).
 */
export function parseCommand(line: string): WorkflowCommand | undefined {
  const match = /^\s*::([^\s:]+)(?: (.*?))?::(.*)$/s.exec(line)
  const name = match?.[1]?.toLowerCase() ?? ''
  if (!match || !commandNames.has(name)) return undefined
  return { name, properties: parseProperties(match[2] ?? ''), message: decode(match[3] ?? '') }
}

/** The annotation that a command makes, if it is one that does. */
export function annotationOf({ name, properties, message }: WorkflowCommand): Annotation | undefined {
  if (name !== 'error' && name !== 'warning' && name !== 'notice') return undefined
  const { title, file, line } = properties
  return { level: name, title, file, line: line === undefined ? undefined : Number(line), message }
}

/** What happened to a line that a step printed. */
export type ProcessedLine = {
  readonly command: WorkflowCommand | undefined
  /** What the log shows: secrets that were masked until now are `***`; commands that print nothing are `undefined`. */
  readonly shown: string | undefined
}

/** Reads a step's lines one by one as the runner does: commands carried out, masks applied to what is shown. */
export class StepLog {
  readonly commands: WorkflowCommand[] = []
  readonly masks = new Set<string>()
  #resumeWith: string | undefined

  process(line: string): ProcessedLine {
    if (this.#resumeWith !== undefined) {
      if (line.trim() === `::${this.#resumeWith}::`) this.#resumeWith = undefined
      return { command: undefined, shown: this.mask(line) }
    }
    const command = parseCommand(line)
    if (!command) return { command, shown: this.mask(line) }
    this.commands.push(command)
    if (command.name === 'stop-commands') this.#resumeWith = command.message
    if (command.name === 'add-mask') this.addMask(command.message)
    return { command, shown: this.#show(command) }
  }

  addMask(secret: string): void {
    for (const part of [secret, ...secret.split(/\r?\n/)]) if (part.trim() !== '') this.masks.add(part)
  }

  mask(text: string): string {
    const longestFirst = [...this.masks].sort((one, other) => other.length - one.length)
    return longestFirst.reduce((masked, secret) => masked.replaceAll(secret, '***'), text)
  }

  #show({ name, message }: WorkflowCommand): string | undefined {
    if (annotationLevels.has(name)) return this.mask(`##[${name}]${message}`)
    if (name === 'group') return this.mask(`▸ ${message}`)
    return undefined
  }
}

const annotationLevels = new Set(['error', 'warning', 'notice', 'debug'])

function parseProperties(text: string): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair.includes('='))
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=')
      return [pair.slice(0, equals).trim(), decode(pair.slice(equals + 1))]
    })
  )
}

const escapes: Readonly<Record<string, string>> = { '%0D': '\r', '%0A': '\n', '%3A': ':', '%2C': ',', '%25': '%' }

function decode(text: string): string {
  return text.replace(/%(?:0D|0A|3A|2C|25)/gi, (code) => escapes[code.toUpperCase()] ?? code)
}
