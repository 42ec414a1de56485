import * as core from '@actions/core'
import { log } from './log.ts'
import { isOnRunner } from './runner.ts'

/** The one error of a step; `runAction` alone reports it. The step fails. */
export function annotateFailure(title: string, message: string): void {
  show('error', title, message)
  process.exitCode = 1
}

/** Something about a place in the repository, or about none. */
export type Annotation = {
  readonly severity: 'error' | 'warning'
  readonly title: string
  readonly message: string
  /** `file` from the workspace, the rest from 1. */
  readonly place?: {
    readonly file: string
    readonly line: number
    readonly column?: number
    readonly endLine?: number
  }
}

/**
 * Shows errors and warnings at their places in the changed files, as many as GitHub shows of a step, and the rest in
 * the log. The step does not fail by them: `annotateFailure` says why it does, and keeps its place among the errors.
 */
export function annotate(annotations: readonly Annotation[]): void {
  for (const { severity, title, message, place } of annotations) {
    made[severity] += 1
    if (made[severity] > shownPerStep) log(`${placeText(place)}${severity}: ${message}`)
    else show(severity, title, message, place)
  }
}

const shown = { error: core.error, warning: core.warning, notice: core.notice }

/** As the runner is told; where there is none, for people to read. */
function show(
  severity: 'error' | 'warning' | 'notice',
  title: string,
  message: string,
  place?: Annotation['place']
): void {
  if (isOnRunner()) shown[severity](bounded(message), { title, ...(place && propertiesOf(place)) })
  else log(`${placeText(place)}${severity}: ${title}: ${bounded(message)}`)
}

function placeText(place: Annotation['place']): string {
  return place === undefined
    ? ''
    : `${[place.file, place.line, place.column].filter((part) => part !== undefined).join(':')}: `
}

function propertiesOf({ file, line, column, endLine }: NonNullable<Annotation['place']>): core.AnnotationProperties {
  // Columns are shown only for a range within one line.
  const oneLine = endLine === undefined || endLine === line
  return {
    file,
    startLine: line,
    ...(endLine !== undefined && { endLine }),
    ...(column !== undefined && oneLine && { startColumn: column })
  }
}

/** A warning, shown with the run. After the tenth of a step, which is the last that GitHub shows, in the log only. */
export function warn(title: string, message: string): void {
  made.warning += 1
  if (made.warning <= shownPerStep) show('warning', title, message)
  else log(`Warning: ${title}: ${message}`)
}

/** Something that is as it should be, and worth knowing, shown with the run. */
export function notice(title: string, message: string): void {
  show('notice', title, message)
}

/** https://docs.github.com/en/actions/reference/limits: errors, and warnings, of a step that are shown. */
const shownPerStep = 10

/** One error is `annotateFailure`'s. */
const made = { error: 1, warning: 0 }

/** An annotation is to be read at a glance; a text from outside may be a megabyte. */
function bounded(message: string): string {
  const limit = 4_000
  return message.length <= limit ? message : `${message.slice(0, limit)}… (${message.length - limit} characters more)`
}
