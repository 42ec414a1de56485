import { EOL } from 'node:os'
import * as core from '@actions/core'

/**
 * A line or more in the step's log. What the text holds is shown, never obeyed: a runner takes a line that starts
 * with `::`, or that holds `##[`, for a command, and texts from outside (plans, logs, names) may well have such.
 */
export function log(text: string): void {
  process.stdout.write(`${withoutCommands(text)}${EOL}`)
}

/** A line that is shown where the user asked for debug logging. */
export function logDebug(text: string): void {
  if (core.isDebug()) core.debug(text)
}

function withoutCommands(text: string): string {
  return text.replace(/^(\s*):(?=:)/gm, `$1:${wordJoiner}`).replace(/##(?=\[)/g, `#${wordJoiner}#`)
}

/** Has no width, and parts no word. */
const wordJoiner = '\u2060'
