import { type Change, changeText } from './change.ts'
import { conditionText } from './condition.ts'
import type { Condition, Reversible, Verdict } from './verdict.ts'

/** What is to be let through, and what the user allows. */
export type GateRequest = {
  /** The whole verdict: the server's and ours, the worse of them. */
  readonly verdict: Verdict
  readonly changes: readonly Change[]
  /** Where the server's plan isn't what the changes let expect: then to agree to changes is not to agree to it. */
  readonly disagreement?: string
  /** What must hold of the data for the server to publish. */
  readonly conditions?: readonly Condition[]
  readonly wayBack: {
    readonly reversible: Reversible
    readonly conditions: readonly Condition[]
    readonly blockers: readonly Change[]
  }
  readonly allowBreakingClients: boolean
  readonly allowIrreversible: boolean
  /** Whether the module that comes is of an earlier release. */
  readonly isRollback?: boolean
  /** Say what would be refused, and refuse only what is impossible. */
  readonly reportOnly?: boolean
  /** Ids of changes, forward or backward, that somebody has agreed to. */
  readonly acknowledged?: readonly string[]
}

/** `warnings` and `reasons` are whole sentences. */
export type GateAnswer =
  | { readonly allowed: true; readonly warnings: readonly string[] }
  | { readonly allowed: false; readonly reasons: readonly string[] }

/**
 * Decides whether a release may be published. Breaking clients and having no way back need to be allowed; what can't
 * be done in place never is. A way back that depends on the data passes, with a warning that says on what.
 */
export function gate(request: GateRequest): GateAnswer {
  if (request.verdict === 'manual') return { allowed: false, reasons: [impossibility(request)] }
  const objections = [clientObjection(request), wayBackObjection(request)].filter((text) => text !== undefined)
  if (objections.length > 0 && !request.reportOnly) {
    return { allowed: false, reasons: [...objections, ...unknownIds(request)] }
  }
  const warnings = [...unknownIds(request), ...conditionalWayForward(request), ...wayBackWarnings(request)]
  return { allowed: true, warnings: [...objections, ...warnings] }
}

function impossibility({ changes, isRollback }: GateRequest): string {
  const named = changes.filter((change) => change.verdict === 'manual')
  const list = named.length > 0 ? listOf(named) : 'the server says so'
  if (isRollback) {
    return `The server can't take the database back in place: ${list}. No input allows this; what works instead is in the summary.`
  }
  return `The server can't migrate the database in place: ${list}. No input allows this; the change itself must be made in another way.`
}

function clientObjection({
  verdict,
  changes,
  allowBreakingClients,
  acknowledged,
  disagreement
}: GateRequest): string | undefined {
  if (verdict === 'none' || verdict === 'compatible' || allowBreakingClients) return undefined
  const breaking = changes.filter((change) => change.verdict === 'breaks-clients')
  const open = breaking.filter((change) => !acknowledged?.includes(change.id))
  if (open.length === 0 && breaking.length > 0 && disagreement === undefined) return undefined
  const list = open.length > 0 ? listOf(open) : 'the server says that it disconnects them'
  return `Clients that run now would break: ${list}. Set allow-breaking-clients: true to publish all the same${orSingly(open)}.`
}

function wayBackObjection({ wayBack, allowIrreversible, acknowledged, isRollback }: GateRequest): string | undefined {
  if (wayBack.reversible !== 'no' || allowIrreversible) return undefined
  const open = wayBack.blockers.filter((change) => !acknowledged?.includes(change.id))
  if (open.length === 0 && wayBack.blockers.length > 0) return undefined
  const why =
    open.length > 0 ? `since going back would mean: ${listOf(open)}` : 'since there is no module to go back to'
  if (isRollback) {
    const blocked = open.length > 0 ? `that would mean: ${listOf(open)}` : 'it can not be read, so nobody has its bytes'
    return `What is live now could not be published again afterwards: ${blocked}. Set allow-irreversible: true to go back all the same${orSingly(open)}.`
  }
  return `The release could not be rolled back, ${why}. Set allow-irreversible: true to publish all the same${orSingly(open)}.`
}

/** By which ids the changes alone can be agreed to. */
function orSingly(open: readonly Change[]): string {
  if (open.length === 0) return ''
  const ids = open.slice(0, mostNamed).map(({ id }) => id)
  const more = open.length > ids.length ? ', … (the plan has all)' : ''
  return `, or agree to these changes alone by acknowledge: ${ids.join(', ')}${more}`
}

/** An id may have become another since somebody agreed to it. */
function unknownIds({ changes, wayBack, acknowledged = [] }: GateRequest): readonly string[] {
  const known = new Set([...changes, ...wayBack.blockers].map(({ id }) => id))
  const unknown = acknowledged.filter((id) => !known.has(id))
  if (unknown.length === 0) return []
  return [
    `No change of this plan has the id ${unknown.join(', ')} (\`acknowledge\`): what was agreed to is not what changes.`
  ]
}

function conditionalWayForward({ conditions = [] }: GateRequest): readonly string[] {
  if (conditions.length === 0) return []
  return [`The server can publish this only while ${conditions.map(conditionText).join(', and ')}.`]
}

function wayBackWarnings({ wayBack, allowIrreversible, isRollback }: GateRequest): readonly string[] {
  if (wayBack.reversible === 'no' && allowIrreversible) {
    return [isRollback ? 'What is live now can not be published again.' : 'There is no way back from this release.']
  }
  if (wayBack.reversible !== 'conditional') return []
  const subject = isRollback ? 'What is live now can be published again' : 'The release can be rolled back'
  return [`${subject} only while ${wayBack.conditions.map(conditionText).join(', and ')}.`]
}

const mostNamed = 10

function listOf(changes: readonly Change[]): string {
  const named = changes.slice(0, mostNamed).map(changeText)
  const more = changes.length - named.length
  return named.join('; ') + (more > 0 ? `; and ${more} more` : '')
}
