import { code, escapeMarkdown, sections, table } from '../../markdown.ts'
import { renderPlan } from '../../migration/render.ts'
import type { ModuleHash } from '../../module/hash.ts'
import type { Checkpoint } from '../checkpoint.ts'
import type { Ending, LiveState } from '../deployment.ts'
import type { RecordedRelease } from '../ledger/ledger.ts'
import type { TriedSource } from '../module-sources.ts'
import { marks, releaseLink, renderLedger, renderReason, renderTimeline } from '../summary.ts'
import { adviceOnRollback } from './advice.ts'
import { effectsOf } from './effects.ts'
import type { Rollback } from './rollback.ts'
import { nameOf, releaseName } from './target.ts'

/**
 * The job summary of a rollback, as Markdown: how it ended and in which state the database is, what it does or would do,
 * what to do next, what was done when, and the plan.
 */
export function renderRollback(rollback: Rollback): string {
  const { database, ending, target, deployment } = rollback
  const { judgement } = deployment ?? {}
  const isOpen = ending.result === 'planned' || ending.result === 'refused'
  const plan = judgement && renderPlan(judgement, { direction: 'back' })
  const effects = judgement && judgement.verdict !== 'manual' ? effectsOf(judgement, ending.unmet) : []
  return `${sections([
    `## ${marks[ending.result]} ${rollbackHeadline(ending, code(database), target && escapeMarkdown(nameOf(target)))}`,
    renderReason(ending),
    `**The database now:** ${stateText(ending)}`,
    deployment && renderLedger({ ...deployment, ...ending }),
    isOpen && effects.length > 0 && `**What the rollback would do**\n\n${effects.join('\n')}`,
    renderAdvice(adviceOnRollback(rollback)),
    isOpen && plan,
    renderFacts(rollback),
    renderTimeline(rollback.steps),
    !isOpen && plan
  ])}\n`
}

/** The job summary of a post step that found out how a rollback ended which was cut off. */
export function renderRollbackRecovery({ server, database, next, previous }: Checkpoint, ending: Ending): string {
  const rows: string[][] = [
    ['The module that was to be restored', code(next.hash)],
    ...(previous ? [['The module that was live', code(previous.hash)]] : [])
  ]
  return `${sections([
    `## ${marks[ending.result]} After the rollback: ${rollbackHeadline(ending, code(database), nameOf(next))}`,
    renderReason(ending),
    `**The database now:** ${stateText(ending)}`,
    table(['Server', code(server)], rows)
  ])}\n`
}

/** How a rollback ended, in one line. `database` and `target` are put in as they are. */
export function rollbackHeadline(
  { result, live, isCutOff, wasLive, isAnew }: Ending,
  database: string,
  target = 'what was asked for'
): string {
  switch (result) {
    case 'rolled-back':
      return `Rolled back: ${database} runs ${target} again`
    case 'unchanged':
      return `${database} runs ${target} already`
    case 'planned':
      return `${database} can be rolled back to ${target}: a dry run, nothing was changed`
    case 'refused':
      return `Refused: ${database} was not rolled back, nothing was changed`
    case 'unhealthy':
      if (isAnew) return `Made anew: ${database} was deleted in between, runs ${target}, and is empty`
      if (wasLive) return `Unhealthy: ${database} runs ${target} already, and its checks failed`
      return isCutOff
        ? `Not checked: ${database} runs ${target} again, and nobody knows whether it is healthy`
        : `Unhealthy: ${database} runs ${target} again, and its checks failed`
    case 'unknown':
      return `Unknown: nobody could say which module ${database} runs`
    default:
      return `Failed: ${afterFailure(live, database)}`
  }
}

function afterFailure(live: LiveState, database: string): string {
  switch (live.kind) {
    case 'other':
      return `${database} runs somebody else's module`
    case 'none':
      return `${database} is gone`
    default:
      return `this rollback changed nothing in ${database}`
  }
}

const notTheData = 'The module was restored, not the data: what was written since is still there.'

function stateText(ending: Ending): string {
  const { live } = ending
  switch (live.kind) {
    case 'new':
      if (ending.isAnew) return 'it runs the release that was asked for, and it is empty.'
      return ending.wasLive
        ? 'it runs what was asked for; it was not this rollback that published it.'
        : `it runs the release that was restored. ${notTheData}`
    case 'previous':
      return 'it runs the release that was live before.'
    case 'other':
      return `it runs another module, which somebody else published${live.hash ? `: ${code(live.hash)}` : ''}.`
    case 'none':
      return 'there is none of this name.'
    case 'unknown':
      return 'not known; nothing was asked of it, or it did not answer.'
  }
}

function renderAdvice(advice: readonly string[]): string | undefined {
  return advice.length === 0 ? undefined : `**What to do now**\n\n${advice.join('\n')}`
}

function renderFacts(rollback: Rollback): string {
  const { server, databaseIdentity, identity, why, liveHash, liveRelease, target, source, tried, deployment } = rollback
  const { isLedgerRead = false } = rollback
  const rows: (readonly [string, string | undefined])[] = [
    ['Server', code(server)],
    ['Database', databaseIdentity && code(databaseIdentity)],
    ['Rolled back as', code(identity)],
    ['Why', why && escapeMarkdown(why)],
    ['The release that was live', liveHash && releaseText(liveHash, liveRelease, isLedgerRead)],
    [restoredName(rollback.ending), target && releaseText(target.hash, target.release, isLedgerRead)],
    ['Its bytes are from', source && escapeMarkdown(source)],
    // Where nobody has them, the reason has said where.
    ['Looked for in vain', tried.length === 0 || source === undefined ? undefined : tried.map(triedText).join('<br>')],
    ['Health check', deployment?.healthCheck && code(deployment.healthCheck)],
    ['Written down as release', deployment?.release && releaseLink(deployment.release)]
  ]
  const known = rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  const [head = [], ...rest] = known
  return table(head, rest)
}

function restoredName({ live, wasLive }: Ending): string {
  if (wasLive) return 'The release that was asked for'
  return live.kind === 'new' ? 'The release that was restored' : 'The release to restore'
}

function releaseText(hash: ModuleHash, release: RecordedRelease | undefined, isLedgerRead: boolean): string {
  const module = `module ${code(hash)}`
  if (release === undefined) return isLedgerRead ? `${module}, of no release in the ledger` : module
  const { begun, by, record } = release
  const day = new Date(begun).toISOString().slice(0, 10)
  const who = record.actor ?? by
  return `${escapeMarkdown(releaseName(release))} of ${day}${who === undefined ? '' : ` by ${escapeMarkdown(who)}`}, ${module}`
}

function triedText({ source, reason }: TriedSource): string {
  return escapeMarkdown(`${source}: ${reason}`)
}
