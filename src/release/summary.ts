import { elapsedText } from '../duration.ts'
import type { Step } from '../journal.ts'
import { code, escapeMarkdown, quote, sections, table } from '../markdown.ts'
import { renderPlan } from '../migration/render.ts'
import { adviceOn, type Outcome } from './advice.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Deployment, Ending, LiveState, Result } from './deployment.ts'
import { driftText } from './drift.ts'

/**
 * The job summary of a deploy, as Markdown: how it ended and in which state the database is, what to do next, what
 * was done when, and the plan.
 */
export function renderDeployment(deployment: Deployment): string {
  const { database, judgement } = deployment
  const plan = judgement && renderPlan(judgement)
  const isAboutThePlan = deployment.result === 'planned' || deployment.result === 'refused'
  const parts = [
    `## ${marks[deployment.result]} ${headlineOf(deployment, code(database))}`,
    renderReason(deployment),
    renderState(deployment),
    renderLedger(deployment),
    renderAdvice({ ...deployment, isManual: judgement?.verdict === 'manual', wayBack: judgement?.wayBack }),
    isAboutThePlan ? plan : undefined,
    renderFacts(deployment),
    renderTimeline(deployment.steps),
    isAboutThePlan ? undefined : plan
  ]
  return `${sections(parts)}\n`
}

/** The job summary of a post step that had to finish or undo a deploy. */
export function renderRecovery(left: Checkpoint, ending: Ending): string {
  const { server, database, next, previous, wayBack } = left
  const outcome = { server, database, moduleHash: next.hash, previousHash: previous?.hash, wayBack, ...ending }
  const parts = [
    `## ${marks[ending.result]} After the deploy: ${headlineOf(ending, code(database))}`,
    renderReason(ending),
    renderState(ending),
    renderAdvice(outcome)
  ]
  return `${sections(parts)}\n`
}

/** How a deploy ended, in one line. `database` is put in as it is. */
export function headlineOf({ result, live, isCutOff, isAnew, isClaimed, stepsRan }: Ending, database: string): string {
  switch (result) {
    case 'created':
      return `${database} was created`
    case 'updated':
      return `${database} runs the new module`
    case 'unchanged':
      return `${database} runs this module already`
    case 'planned':
      return `${database} could be deployed to: a dry run, nothing was changed`
    case 'refused':
      return stepsRan
        ? `Refused: ${database} runs the module that it ran before, and steps have run`
        : `Refused: ${database} was not changed`
    case 'unhealthy':
      if (isAnew) return `Made anew: ${database} was deleted in between, runs the new module, and is empty`
      return `${isCutOff ? 'Not checked' : 'Unhealthy'}: ${database} runs the new module all the same`
    case 'rolled-back':
      return `Rolled back: ${database} runs the previous module again`
    case 'rollback-failed':
      return `The rollback failed: ${database} ${afterFailedRollback(live, isCutOff)}`
    case 'failed':
      return `Failed: ${afterFailure(live, database, isClaimed, stepsRan)}`
    case 'unknown':
      return `Unknown: nobody could say which module ${database} runs`
  }
}

function afterFailedRollback(live: LiveState, isCutOff = false): string {
  if (live.kind === 'new')
    return isCutOff ? 'runs the new module, whose health is not known' : 'runs the new, unhealthy module'
  if (live.kind === 'other') return "runs somebody else's module"
  return live.kind === 'none' ? 'is gone' : 'was made anew and is empty'
}

function afterFailure(live: LiveState, database: string, isClaimed = false, stepsRan = false): string {
  if (stepsRan && live.kind === 'previous') return `${database} runs the module that it ran before, and steps have run`
  if (isClaimed) return `${database} was not created, but its name is claimed`
  return live.kind === 'other'
    ? `${database} runs somebody else's module`
    : `this deploy changed nothing in ${database}`
}

/** By how it ended, before a headline. */
export const marks: Readonly<Record<Result, string>> = {
  created: '✅',
  updated: '✅',
  unchanged: '✅',
  planned: '✅',
  refused: '⛔',
  unhealthy: '❌',
  'rolled-back': '↩️',
  'rollback-failed': '❌',
  failed: '❌',
  unknown: '❓'
}

/** Why it ended so. */
export function renderReason({ reason }: Ending): string | undefined {
  return reason && quote(reason)
}

/** What the database runs now. */
export function renderState(ending: Ending): string {
  const steps = ending.stepsRan ? ' What steps before the publish did to the data stays.' : ''
  const data = `${ending.result === 'rolled-back' ? ` ${notTheData}` : ''}${steps}`
  return `**The database now:** ${stateText(ending)}${data}`
}

const notTheData = 'A rollback restores the module, not the data: what the new module wrote is still there.'

function stateText({ live, isClaimed }: Ending): string {
  switch (live.kind) {
    case 'new':
      return 'it runs the new module.'
    case 'previous':
      return 'it runs the module that it ran before.'
    case 'other':
      return `it runs another module, which somebody else published${live.hash ? `: ${code(live.hash)}` : ''}.`
    case 'none':
      return `there is none of this name${isClaimed ? ', but the name is claimed: anyone can publish to it' : ''}.`
    case 'unknown':
      return 'not known; nothing was asked of it, or it did not answer.'
  }
}

/** What to do now; `undefined` when all is well. */
export function renderAdvice(outcome: Outcome): string | undefined {
  const advice = adviceOn(outcome)
  return advice.length === 0 ? undefined : `**What to do now**\n\n${advice.join('\n')}`
}

function renderFacts(deployment: Deployment): string {
  const rows: (readonly [string, string | undefined])[] = [
    ['Server', code(deployment.server)],
    ['Database', deployment.databaseIdentity && code(deployment.databaseIdentity)],
    ['Deployed as', code(deployment.identity)],
    ['New module', code(deployment.moduleHash)],
    ['Previous module', deployment.previousHash && code(deployment.previousHash)],
    ['Health check', deployment.healthCheck && code(deployment.healthCheck)],
    ['Release', deployment.release && releaseLink(deployment.release)]
  ]
  const known = rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  const [head = [], ...rest] = known
  return table(head, rest)
}

/** A release of the ledger, with its page where it has one. */
export function releaseLink({ id, url }: NonNullable<Deployment['release']>): string {
  return url !== undefined && /^https?:[^\s()<>]+$/.test(url) ? `[${id}](${url})` : String(id)
}

/** What does not agree with the ledger, or is not in it. */
export function renderLedger({
  drift,
  isDrift,
  ledgerWarning
}: Pick<Deployment, 'drift' | 'isDrift' | 'ledgerWarning'>): string | undefined {
  const parts = [
    // As a reason it has been said already.
    drift && !isDrift && `**Drift:** ${escapeMarkdown(driftText(drift))}`,
    ledgerWarning && `**The ledger of releases:** ${escapeMarkdown(ledgerWarning)}`
  ]
  return sections(parts) || undefined
}

/** What was done, and how long it took. */
export function renderTimeline(steps: readonly Step[]): string | undefined {
  if (steps.length === 0) return undefined
  const rows = steps.map(({ outcome, name, detail, milliseconds }) => [
    `${outcome === 'ok' ? '✓' : '✗'} ${escapeMarkdown(name)}`,
    escapeMarkdown(detail),
    elapsedText(milliseconds)
  ])
  return table(['Step', 'What', 'Took'], rows, ['l', 'l', 'r'])
}
