import { stripVTControlCharacters } from 'node:util'
import { code, codeBlock, escapeMarkdown, quote, table } from '../markdown.ts'
import type { Change } from './change.ts'
import { conditionText } from './condition.ts'
import type { Judgement, UsablePlan } from './judgement.ts'
import type { Condition, Reversible, Verdict } from './verdict.ts'
import { waysAround } from './way-around.ts'
import type { WayBack } from './way-back.ts'
import { worstFirst } from './worst-first.ts'

/** What is rendered: a release's changes and all that was judged of them. */
export type PlanReport = Judgement & {
  readonly changes: readonly Change[]
  readonly wayBack: Omit<WayBack, 'changes'>
  /** Missing when the server was not asked. */
  readonly serverPlan?: UsablePlan
  /** A picture of the tables that change, as Markdown. */
  readonly diagram?: string
  /** Markdown that comes right after the verdict. */
  readonly about?: readonly string[]
}

export type RenderOptions = {
  /** How many characters there may be; the server's text is cut first, then the table, each with a note. */
  readonly limit?: number
  /** `back`: the module that comes is of an earlier release; then nothing is said of code that would have to be written. */
  readonly direction?: Direction
}

type Direction = 'forward' | 'back'

/**
 * A plan as Markdown for a job summary or a comment: the verdict in one line, the changes, what it means for clients,
 * the way back, what works instead of what is impossible, a picture, and the server's own text folded away. Whatever
 * comes from outside is escaped.
 */
export function renderPlan(report: PlanReport, { limit = 60_000, direction = 'forward' }: RenderOptions = {}): string {
  const start = [`### ${headline(report, direction)}`, ...(report.about ?? []), disagreement(report)]
  const end = [condition(report), clients(report, direction), wayBack(report, direction)]
  const room = limit - joined([...start, ...end]).length - noteRoom
  const changes = changeTable(report.changes, room)
  const instead = fitting(direction === 'back' ? '' : renderWaysAround(report.changes), room - changes.length)
  const picture = fitting(report.diagram ?? '', room - changes.length - instead.length)
  const left = room - changes.length - instead.length - picture.length
  return joined([...start, changes, ...end, instead, picture, serverText(report.serverPlan, left)]).slice(0, limit)
}

/** A part that is left out rather than cut: half a picture is none. */
function fitting(part: string, room: number): string {
  return part.length + 2 <= room ? part : ''
}

function renderWaysAround(changes: readonly Change[]): string {
  const ways = waysAround(changes).map(({ table, instead, releases }) => {
    const options = instead.map((text) => `- ${text}`)
    const steps = releases.map((text, at) => `${at + 1}. ${text}`)
    const always = steps.length === 0 ? [] : [...(options.length === 0 ? [] : ['', 'What always works:', '']), ...steps]
    return [`**What works instead, for table ${code(table)}:**`, '', ...options, ...always].join('\n')
  })
  const more = ways.length - mostWays
  return joined([...ways.slice(0, mostWays), more > 0 ? `*And so for ${more} more tables.*` : undefined])
}

/** One is like the other. */
const mostWays = 5

/** Kept free for the notes that something was cut. */
const noteRoom = 400

function joined(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part).join('\n\n')
}

function headline({ verdict, conditions, wayBack: { reversible } }: PlanReport, direction: Direction): string {
  if (verdict === 'manual') return verdictTexts.manual
  const onCondition = conditions.length > 0 ? ', if the data allows it' : ''
  const after = direction === 'back' ? forwardAgainTexts : reversibleTexts
  return `${verdictTexts[verdict]}${onCondition} · ${after[reversible]}`
}

const verdictTexts: Readonly<Record<Verdict, string>> = {
  none: '✅ No change of the schema',
  compatible: '✅ Clients that run now keep working',
  'breaks-clients': '⚠️ Breaks clients that run now',
  manual: "⛔ Can't be migrated in place"
}

const reversibleTexts = {
  yes: 'can be rolled back',
  conditional: 'can be rolled back on a condition',
  no: 'can not be rolled back'
} as const

const forwardAgainTexts = {
  yes: 'what is live can be deployed again',
  conditional: 'what is live can be deployed again on a condition',
  no: 'what is live can not be deployed again'
} as const

function disagreement({ disagreement }: PlanReport): string | undefined {
  return disagreement && quote(`⚠️ ${disagreement}`)
}

/** The changes, as many as there is room for, those about one thing together. */
function changeTable(changes: readonly Change[], room: number): string {
  if (changes.length === 0) return ''
  const rows: string[][] = []
  let length = 0
  let subject = ''
  for (const change of worstFirst(changes)) {
    const about = subjectText(change)
    const row = [about === subject ? '' : about, changeText(change), beforeAfter(change), effectTexts[change.verdict]]
    length += row.join(' | ').length + 5
    if (length > room) break
    rows.push(row)
    subject = about
  }
  const missing = changes.length - rows.length
  const shown = rows.length === 0 ? '' : table(['', 'Change', 'Before → after', 'Effect'], rows)
  return missing === 0 ? shown : joined([shown, `*${missing} more changes are not shown: there are too many.*`])
}

const effectTexts: Readonly<Record<Verdict, string>> = {
  none: '–',
  compatible: 'compatible',
  'breaks-clients': '**breaks clients**',
  manual: '**impossible in place**'
}

function subjectText({ subject: { kind, name } }: Change): string {
  const word = kind.replaceAll('-', ' ')
  return kind === 'module' ? word : `${word} ${code(shorten(name, 100))}`
}

function changeText({ what, note, conditions, id }: Change): string {
  const only = conditions.length === 0 ? '' : ` Only possible while ${conditions.map(conditionText).join(' and ')}.`
  const text = escapeMarkdown(shorten(`${what}.${only}${note ? ` ${note}` : ''}`, 600))
  return `${text}<br><sub>${escapeMarkdown(id)}</sub>`
}

function beforeAfter({ before, after }: Change): string {
  const text = (part: string) => code(shorten(part, 200))
  if (before !== undefined && after !== undefined) return `${text(before)} → ${text(after)}`
  if (before !== undefined) return `${text(before)} → –`
  return after === undefined ? '' : `– → ${text(after)}`
}

function condition({ conditions }: PlanReport): string | undefined {
  if (conditions.length === 0) return undefined
  return `**Condition:** the server can do it only while ${conditionList(conditions)}; else it refuses, and nothing changes.`
}

function conditionList(conditions: readonly Condition[]): string {
  const list = conditions.slice(0, mostListed).map((each) => escapeMarkdown(conditionText(each)))
  const more = conditions.length - list.length
  return list.join('; ') + (more > 0 ? `; and ${more} more conditions` : '')
}

function clients({ verdict, changes }: PlanReport, direction: Direction): string {
  return `**Clients:** ${clientText(verdict, changes, direction)}`
}

function clientText(verdict: Verdict, changes: readonly Change[], direction: Direction): string {
  if (verdict === 'manual') return 'nothing changes for them, since this can not be published.'
  if (verdict !== 'breaks-clients' && direction === 'back') return 'nothing to do.'
  if (verdict !== 'breaks-clients') return 'nothing to do. Code that is generated anew may look different.'
  const disconnects = changes.some((change) => change.atServer === 'disconnects')
  const breaking = changes.filter((change) => change.verdict === 'breaks-clients')
  if (breaking.length > 0 && breaking.every(({ kind }) => kind.startsWith('row-level-security'))) {
    return 'the server disconnects all of them once, and what each may see changes. They need no new code.'
  }
  const steps = [
    ...(disconnects ? ['The server disconnects all clients when the release is published.'] : []),
    whatClientsNeed[direction],
    ...(breaking.length > 0
      ? [`${direction === 'back' ? 'This' : 'Until then this'} breaks them: ${listOf(breaking)}.`]
      : [])
  ]
  return steps.join(' ')
}

const whatClientsNeed: Readonly<Record<Direction, string>> = {
  forward: 'Generate their code anew (`spacetime generate`), adapt it, and release them with this module.',
  back: 'Clients that were made for the release that is live need those of the earlier release again.'
}

function wayBack(
  { verdict, wayBack: { reversible, conditions, blockers } }: PlanReport,
  direction: Direction
): string | undefined {
  if (verdict === 'manual') return undefined
  if (direction === 'back') return forwardAgain(reversible, conditions, blockers)
  switch (reversible) {
    case 'yes':
      return '**Way back:** the previous module can be published again. Data that was written stays as it is.'
    case 'conditional':
      return `**Way back:** the previous module can be published again only while ${conditionList(conditions)}.`
    case 'no':
      return blockers.length === 0
        ? '**Way back:** none: the module that is live could not be saved.'
        : `**Way back:** none in place. Going back would mean: ${listOf(blockers)}.`
  }
}

function forwardAgain(reversible: Reversible, conditions: readonly Condition[], blockers: readonly Change[]): string {
  const name = '**Forward again:** the module that is live now can'
  if (reversible === 'yes') return `${name} be deployed again. Data that was written stays as it is.`
  if (reversible === 'conditional') return `${name} be deployed again only while ${conditionList(conditions)}.`
  return blockers.length === 0
    ? `${name} not be saved, so it can be deployed again only from elsewhere.`
    : `${name} not be deployed again in place. That would mean: ${listOf(blockers)}.`
}

const mostListed = 20

function listOf(changes: readonly Change[]): string {
  const listed = changes.slice(0, mostListed)
  const texts = listed.map((change) => `${subjectText(change)}: ${escapeMarkdown(shorten(change.what, 200))}`)
  const more = changes.length - listed.length
  return texts.join('; ') + (more > 0 ? `; and ${more} more` : '')
}

function serverText(plan: UsablePlan | undefined, room: number): string | undefined {
  if (plan === undefined) return '*The server was not asked: this is judged from the two schemas alone.*'
  const text = plan.kind === 'manual' ? plan.reason : plan.text
  if (text.replace(/[━\s]|Database Migration Plan/g, '') === '') return undefined
  // Folding it away takes a few characters too.
  const shown = shorten(text, Math.max(0, room - 200))
  if (shown.length < 100 && shown.length < text.length) return "*The server's own text is left out: it is too long.*"
  const note = shown.length < text.length ? '\n\n*It is cut: it is too long.*' : ''
  const summary = "<summary>The server's own plan</summary>"
  return `<details>${summary}\n\n${codeBlock(stripVTControlCharacters(shown))}${note}\n\n</details>`
}

/** The start of a text that is longer than some number of characters, with an ellipsis. */
function shorten(text: string, length: number): string {
  if (text.length <= length) return text
  return `${text.slice(0, Math.max(0, length - 1)).replace(/[\ud800-\udbff]$/, '')}…`
}
