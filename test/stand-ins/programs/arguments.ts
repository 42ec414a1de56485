import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { messageOf } from '../../../src/errors.ts'

/** Arguments that a program does not take: exit code 2, as clap has it. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What a program can't do or what went wrong: exit code 1. */
export class Failure extends Error {
  override readonly name = 'Failure'
  /** Of another program whose end ended this one; then nothing is said. */
  readonly exitCode: number | undefined

  constructor(message: string, exitCode?: number) {
    super(message)
    this.exitCode = exitCode
  }
}

/** What a stand-in does not do. Said by name, so that a test notices. */
export function refused(what: string): Failure {
  return new Failure(`this stand-in does not do what the real program does: ${what}`)
}

/**
 * Reads the arguments of a subcommand; `usage` is shown with an error. Throws a `UsageError` for an unknown flag, a
 * value that is missing or one too many. Flags that take a value but need an equals sign are the caller's to check.
 */
export function readArguments<Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  usage: string
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError(`${clapMessage(messageOf(error))}\n\nUsage: ${usage}\n\nFor more information, try '--help'.`)
  }
}

/** The words of clap, which the real programs read their arguments with, for those of Node. */
function clapMessage(message: string): string {
  const [, unknown] = /^Unknown option '([^']+)'/.exec(message) ?? []
  if (unknown !== undefined) return `unexpected argument '${unknown}' found`
  const [, missing] = /^Option '([^']+)' argument missing/.exec(message) ?? []
  if (missing !== undefined) return `a value is required for '${missing}' but none was supplied`
  return message
}

/** Runs a program to its end and sets its exit code; errors are printed as the real programs print theirs. */
export async function runToEnd(main: () => Promise<void>): Promise<void> {
  try {
    await main()
  } catch (error) {
    if (error instanceof Failure && error.exitCode !== undefined) process.exitCode = error.exitCode
    else if (error instanceof UsageError) {
      console.error(`error: ${error.message}`)
      process.exitCode = 2
    } else {
      console.error(`Error: ${messageOf(error)}`)
      process.exitCode = 1
    }
  }
}
