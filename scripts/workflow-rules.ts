import { isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from 'yaml'
import type { WorkflowDocument } from './workflow-documents.ts'

/** What is wrong, and on which line of the document. */
export type BrokenRule = { readonly line: number; readonly message: string }

/** These change what is live: cut off or side by side they would do harm. */
const publishing = ['deploy', 'rollback', 'promote', 'preview']

const own = /^org\/stdb-actions\/([a-z-]+)@(.+)$/

/**
 * What this repository asks of workflows beyond being right: no permission but those that a job names and explains, a time
 * limit for each job, actions of others pinned by commit with their version beside, ours by their major version, nothing
 * of an expression in a script, no credential where code of dependencies is built, and no two releases at a time. Workflows
 * in Markdown may leave out all but the scripts' rule.
 */
export function brokenRules({ file, kind, text }: WorkflowDocument): BrokenRule[] {
  if (kind !== 'workflow') return []
  const lines = new LineCounter()
  const workflow = parseDocument(text, { lineCounter: lines }).contents
  if (!isMap(workflow)) return []
  const broken: BrokenRule[] = []
  const report: Report = (node, message) => {
    broken.push({ line: lines.linePos((node as Placed)?.range?.[0] ?? 0).line, message })
  }
  const isWhole = !file.endsWith('.md')
  if (isWhole) checkTop(workflow, text, file.startsWith('workflows-examples/'), report)
  for (const job of jobsOf(workflow)) {
    if (isWhole) checkJob(job, workflow, report)
    for (const step of stepsOf(job)) {
      checkScript(step, report)
      if (isWhole) checkPin(step, report)
    }
  }
  return broken
}

type Placed = { readonly range?: readonly [number, number, number] | null } | null | undefined
type Report = (node: unknown, message: string) => void

function checkTop(workflow: YAMLMap, text: string, isExample: boolean, report: Report): void {
  const permissions = workflow.get('permissions', true)
  if (!isMap(permissions) || permissions.items.length > 0) {
    report(permissions, 'Begin with `permissions: {}`: each job names its own.')
  }
  if (isExample && !text.startsWith('#')) {
    report(workflow, 'Begin with a comment that says what the workflow does, and what it needs.')
  }
}

function checkJob(job: YAMLMap, workflow: YAMLMap, report: Report): void {
  if (!job.has('timeout-minutes'))
    report(job, 'Give the job `timeout-minutes`: without it a hanging one runs for six hours.')
  const permissions = job.get('permissions', true)
  if (!isMap(permissions)) report(job, 'Give the job `permissions`, and `{}` when it needs none.')
  else {
    for (const { key, value } of permissions.items) {
      if (isScalar(value) && !value.comment) report(value, `Say behind \`${key}: ${value}\` what it is for.`)
    }
  }
  if (uses(job, 'build-module') && hasCredential(job)) {
    report(job, 'Build in a job of its own, which may only read: code of dependencies runs while a module is built.')
  }
  if (publishes(job) && !isOneAtATime(job) && !isOneAtATime(workflow)) {
    report(
      job,
      'Give the job `concurrency` with `cancel-in-progress: false`: one release at a time, and none is cut off.'
    )
  }
}

function publishes(job: YAMLMap): boolean {
  return stepsOf(job).some((step) => {
    const action = own.exec(textOf(step, 'uses') ?? '')?.[1] ?? ''
    const inputs = step.get('with')
    return (
      publishing.includes(action) || (action === 'migrate-schema' && isMap(inputs) && inputs.get('mode') === 'apply')
    )
  })
}

function uses(job: YAMLMap, action: string): boolean {
  return stepsOf(job).some((step) => own.exec(textOf(step, 'uses') ?? '')?.[1] === action)
}

/** An environment has secrets, and names an ID token. */
function hasCredential(job: YAMLMap): boolean {
  const permissions = job.get('permissions')
  return job.has('environment') || (isMap(permissions) && permissions.items.some(({ value }) => `${value}` === 'write'))
}

/** Runs of different branches and tags may publish to one database, so that a group for each of them keeps none apart. */
function isOneAtATime(place: YAMLMap): boolean {
  const concurrency = place.get('concurrency')
  if (!isMap(concurrency) || concurrency.get('cancel-in-progress') !== false) return false
  const group = textOf(concurrency, 'group')
  return group !== undefined && !/\bgithub\.(ref|ref_name|sha|run_id)\b/.test(group)
}

function checkScript(step: YAMLMap, report: Report): void {
  const script = textOf(step, 'run')
  if (script?.includes('${{')) {
    report(step.get('run', true), 'Put the expression into `env` of the step: in a script its value is run as code.')
  }
}

function checkPin(step: YAMLMap, report: Report): void {
  const uses = step.get('uses', true)
  if (!isScalar(uses)) return
  const name = String(uses.value)
  if (name.startsWith('./')) return
  const version = own.exec(name)?.[2]
  if (version !== undefined) {
    if (!/^v\d+$/.test(version)) report(uses, `Show \`${name}\` by its major version, such as @v1.`)
    return
  }
  const isPinned = /@[0-9a-f]{40}$/.test(name) && /^ v\d+(\.\d+)*$/.test(uses.comment ?? '')
  if (!isPinned)
    report(uses, `Pin \`${name}\` by its commit, with its version behind it: \`@<40 hex digits> # v1.2.3\`.`)
}

function jobsOf(workflow: YAMLMap): YAMLMap[] {
  const jobs = workflow.get('jobs')
  return isMap(jobs) ? jobs.items.map(({ value }) => value).filter((job) => isMap(job)) : []
}

function stepsOf(job: YAMLMap): YAMLMap[] {
  const steps = job.get('steps')
  return isSeq(steps) ? steps.items.filter((step) => isMap(step)) : []
}

function textOf(map: YAMLMap, key: string): string | undefined {
  const value = map.get(key)
  return typeof value === 'string' ? value : undefined
}
