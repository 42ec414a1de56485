import { code, escapeMarkdown, quote } from '../markdown.ts'
import type { CheckedCondition } from './check-conditions.ts'
import { conditionText } from './condition.ts'
import { renderDiagram } from './diagram.ts'
import type { GateAnswer } from './gate.ts'
import { type Plan, planDigest } from './plan-file.ts'
import type { PlannedMigration } from './plan-migration.ts'
import { renderPlan } from './render.ts'

/** A plan, and what is said of it. */
export type MigrationReport = PlannedMigration & {
  /** Missing where there is nothing to decide. */
  readonly decision?: GateAnswer
  /** What the data said of the plan's conditions, when it was asked. */
  readonly checked?: readonly CheckedCondition[]
}

/** Whether a plan has anything that a reviewer would want to read. */
export function isWorthTelling({ plan, decision }: MigrationReport): boolean {
  return plan.changes.length > 0 || plan.verdict !== 'none' || !plan.exists || decision?.allowed === false
}

/**
 * A plan as Markdown for reviewers, of at most `limit` characters: the verdict in the first line, whether it passes the
 * gate, what changes and what that means, the facts last.
 */
export function renderMigration(report: MigrationReport, limit = 60_000): string {
  const { plan, judgement, schemas } = report
  const facts = renderFacts(plan)
  if (judgement === undefined) return `${[`### ${quietHeadline(plan)}`, facts].join('\n\n')}\n`
  const diagram = schemas ? renderDiagram(judgement.changes, schemas.before, schemas.after) : ''
  const about = [aboutText(plan), decisionText(report), dataText(report.checked)].filter((text) => text !== undefined)
  const text = renderPlan({ ...judgement, diagram, about }, { limit: limit - facts.length - 10 })
  return `${[text, facts].join('\n\n')}\n`
}

function quietHeadline(plan: Plan): string {
  if (plan.exists) return `✅ ${nameOf(plan)} runs this module already`
  if (plan.target === undefined) return `ℹ️ Nothing to compare with: ${escapeMarkdown(plan.base ?? 'no module')}`
  return `🆕 A first release: there is no database ${nameOf(plan)} yet`
}

function nameOf({ target, base }: Plan): string {
  return target === undefined ? escapeMarkdown(base ?? '') : code(target.database)
}

function aboutText({ target, base }: Plan): string {
  if (target !== undefined) return `What the module would do to ${code(target.database)} on ${code(target.server)}.`
  return `Compared with ${escapeMarkdown(base ?? 'another module')}. No database was asked.`
}

function decisionText({ decision }: MigrationReport): string | undefined {
  if (decision === undefined) return undefined
  if (!decision.allowed) return `**Refused**\n\n${decision.reasons.map(quote).join('\n>\n')}`
  return decision.warnings.length === 0 ? undefined : decision.warnings.map((text) => quote(`⚠️ ${text}`)).join('\n>\n')
}

const marks = { met: '✅', unmet: '⛔', unknown: '❔' } as const

function dataText(checked: readonly CheckedCondition[] | undefined): string | undefined {
  if (checked === undefined || checked.length === 0) return undefined
  const lines = checked.map(({ condition, state, detail }) => {
    return `- ${marks[state]} ${escapeMarkdown(conditionText(condition))}: ${escapeMarkdown(detail)}`
  })
  return ['**The data now:**', '', ...lines].join('\n')
}

function renderFacts(plan: Plan): string {
  const { previousHash, moduleHash, metadata } = plan
  const facts = [
    ...(previousHash ? [`from ${code(previousHash.slice(0, 12))}`] : []),
    `to ${code(moduleHash.slice(0, 12))}`,
    ...(metadata?.commit ? [`commit ${code(metadata.commit.slice(0, 12))}`] : []),
    `plan ${code(planDigest(plan).slice(0, 12))}`,
    plan.createdAt.replace('T', ' ').replace(/:\d\d\.\d+Z$/, ' UTC')
  ]
  return `<sub>${facts.join(' · ')}</sub>`
}
