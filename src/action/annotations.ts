import * as core from '@actions/core'
import { log } from './log.ts'

/** The one error of a step; `runAction` alone reports it. The step fails. */
export function annotateFailure(title: string, message: string): void {
  core.error(bounded(message), { title })
  process.exitCode = 1
}

/** A warning, shown with the run. After the tenth of a step, which is the last that GitHub shows, in the log only. */
export function warn(title: string, message: string): void {
  made += 1
  if (made <= shownPerStep) core.warning(bounded(message), { title })
  else log(`Warning: ${title}: ${message}`)
}

/** https://docs.github.com/en/actions/reference/limits: warnings of a step that are shown. */
const shownPerStep = 10
let made = 0

/** An annotation is to be read at a glance; a text from outside may be a megabyte. */
function bounded(message: string): string {
  const limit = 4_000
  return message.length <= limit ? message : `${message.slice(0, limit)}… (${message.length - limit} characters more)`
}
