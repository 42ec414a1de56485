import { code, escapeMarkdown } from '../markdown.ts'
import { conditionText } from '../migration/condition.ts'
import type { Condition, Reversible } from '../migration/verdict.ts'
import { type ModuleHash, moduleHashToU256 } from '../module/hash.ts'
import type { Ending } from './deployment.ts'
import type { Drift } from './ledger/history.ts'

/** What advice is given on. */
export type Outcome = Ending & {
  readonly server: string
  readonly database: string
  readonly moduleHash: ModuleHash
  readonly previousHash?: ModuleHash | undefined
  readonly isManual?: boolean
  readonly wayBack?: WayBackInShort | undefined
  readonly drift?: Drift | undefined
}

/** Whether the previous module can be published again, and on what condition. */
export type WayBackInShort = { readonly reversible: Reversible; readonly conditions: readonly Condition[] }

/** What somebody who is woken by this deploy should do, as Markdown list items; none when all is well. */
export function adviceOn(outcome: Outcome): readonly string[] {
  switch (outcome.result) {
    case 'created':
    case 'updated':
    case 'unchanged':
    case 'planned':
      return []
    case 'refused':
      return onRefusal(outcome)
    case 'unhealthy':
      if (outcome.isAnew) return [lookForBackup]
      return [lookAtLogs(outcome), ...goBackByHand(outcome)]
    case 'rolled-back':
      return onRollback(outcome)
    case 'rollback-failed':
      return outcome.live.kind === 'other' ? [lookWhatIsThere] : [lookAtLogs(outcome), ...goBackByHand(outcome)]
    case 'failed':
      return onFailure(outcome)
    case 'unknown':
      return [askWhatIsLive(outcome), '- Then run the job again: a module that is live already is only checked.']
  }
}

function onRefusal(outcome: Outcome): readonly string[] {
  const { isManual, isPlanStale, isDrift, drift, unmet = [], server, database } = outcome
  if (isDrift) {
    return drift
      ? [lookWhatIsThere, '- Then run the job again with `on-drift: adopt`, or publish what should be live.']
      : ['- Run the job again when that can be found out, or with `on-drift: adopt`.']
  }
  if (isPlanStale) return ['- Make a new plan, have that approved, and apply it with the module that it was made for.']
  if (unmet.length > 0) {
    return [
      ...unmet.map((condition) => seeTo(condition, server, database)),
      '- Then run the job again. Or change the module so that it does not ask that of the data.'
    ]
  }
  if (isManual) {
    return ['- Make the change in another way: the plan below says how, for each table.']
  }
  return ['- Change the module, or set the input that the reason names, after talking to those whom it hits.']
}

function onRollback(outcome: Outcome): readonly string[] {
  if (outcome.isCutOff)
    return ['- Nothing speaks against the new module: it was not checked to the end. Run the job again.']
  return [lookAtLogs(outcome), '- Mend the module and deploy again. The same module would fail again.']
}

function onFailure({ isConfiguration, isClaimed, live, stepsRan }: Outcome): readonly string[] {
  if (stepsRan) {
    return ['- Look at what the steps did to the data. When the job is run again, they run again from the first on.']
  }
  if (isClaimed)
    return ['- Mend the cause and deploy again **now**, with `create: true`: until then anyone can take the name.']
  if (live.kind === 'other') return [lookWhatIsThere]
  return isConfiguration ? [] : ['- Nothing has to be undone. Run the job again when the cause is gone.']
}

/** As an item of advice, like those below. */
export const lookWhatIsThere = '- Look at what was published, and by whom, before you deploy anything.'

/** Of a database that was deleted in between. */
export const lookForBackup =
  '- Keep clients away, find out who deleted it, and look for a backup of the server: the data is not there any more.'

export function lookAtLogs({ server, database }: Pick<Outcome, 'server' | 'database'>): string {
  return `- Look at the log: ${code(`spacetime logs --server ${server} ${database}`)}`
}

function goBackByHand({ server, database, moduleHash, previousHash, wayBack }: Outcome): readonly string[] {
  const forward = '- Or go forward: deploy a module with the fix.'
  if (previousHash === undefined || previousHash === moduleHash) {
    return [
      '- There is no previous module to go back to from here. Deploy one with the fix, or the module of the release before.'
    ]
  }
  if (wayBack?.reversible === 'no') {
    return ['- The previous module can not be published over this one. Go forward: deploy a module with the fix.']
  }
  return [
    ...(wayBack?.conditions ?? []).map((condition) => firstSeeTo(condition, server, database)),
    `- Go back: deploy the previous module (output \`previous-module\`, hash ${code(previousHash)}) with ` +
      '`allow-breaking-clients: true` and `on-failure: keep`.',
    forward
  ]
}

function firstSeeTo(condition: Condition, server: string, database: string): string {
  return `- Going back works only while ${escapeMarkdown(conditionText(condition))}.${remedy(condition, server, database)}`
}

export function seeTo(condition: Condition, server: string, database: string): string {
  return `- See to it that ${escapeMarkdown(conditionText(condition))}.${remedy(condition, server, database)}`
}

function remedy(condition: Condition, server: string, database: string): string {
  if (condition.kind !== 'table-empty') return ' A reducer of yours can change the rows.'
  const statement = `spacetime sql --server ${server} ${database} 'DELETE FROM ${condition.table}'`
  return ` If its rows may go for good, delete them right before: ${code(statement)}, or by a reducer of yours.`
}

type AskedFor = Pick<Outcome, 'server' | 'database' | 'moduleHash' | 'previousHash'>

/** The server states a hash with its bytes reversed, so that form is given. */
export function askWhatIsLive({ server, database, moduleHash, previousHash }: AskedFor): string {
  const url = `${server}/v1/database/${database}/sql`
  const previous = previousHash ? `; the previous one's is ${code(moduleHashToU256(previousHash))}` : ''
  return (
    `- Ask what is live: ${code(`curl -s ${url} -d 'SELECT program_hash FROM st_module'`)}. ` +
    `The new module's hash is ${code(moduleHashToU256(moduleHash))} there${previous}.`
  )
}
