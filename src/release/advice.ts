import { code } from '../markdown.ts'
import { conditionText } from '../migration/condition.ts'
import { type ModuleHash, moduleHashToU256 } from '../module/hash.ts'
import type { Ending, ReleaseJudgement } from './deployment.ts'

/** What advice is given on. */
export type Outcome = Ending & {
  readonly server: string
  readonly database: string
  readonly moduleHash: ModuleHash
  readonly previousHash?: ModuleHash | undefined
  readonly judgement?: ReleaseJudgement | undefined
}

/** What somebody who is woken by this deploy should do, as Markdown list items; none when all is well. */
export function adviceOn(outcome: Outcome): readonly string[] {
  switch (outcome.result) {
    case 'created':
    case 'updated':
    case 'unchanged':
    case 'planned':
      return []
    case 'refused':
      return [onRefusal(outcome)]
    case 'unhealthy':
      return [lookAtLogs(outcome), ...goBackByHand(outcome)]
    case 'rolled-back':
      return [lookAtLogs(outcome), '- Mend the module and deploy again. The same module would fail again.']
    case 'rollback-failed':
      return [lookAtLogs(outcome), ...emptyTables(outcome), ...goBackByHand(outcome)]
    case 'failed':
      return outcome.isConfiguration ? [] : ['- Nothing has to be undone. Run the job again when the cause is gone.']
    case 'unknown':
      return [askWhatIsLive(outcome), '- Then run the job again: a module that is live already is only checked.']
  }
}

function onRefusal({ judgement }: Outcome): string {
  if (judgement?.verdict === 'manual') {
    return '- Make the change in another way: `docs/verdicts.md` of stdb-actions tells one for each that is impossible in place.'
  }
  return '- Change the module, or set the input that the reason names, after talking to those whom it hits.'
}

function lookAtLogs({ server, database }: Outcome): string {
  return `- Look at the log: ${code(`spacetime logs --server ${server} ${database}`)}`
}

function emptyTables({ judgement }: Outcome): readonly string[] {
  const conditions = judgement?.wayBack.conditions ?? []
  if (conditions.length === 0) return []
  return [`- Going back works only while ${conditions.map(conditionText).join(' and ')}: see to that first.`]
}

function goBackByHand({ previousHash, judgement }: Outcome): readonly string[] {
  const forward = '- Or go forward: deploy a module with the fix.'
  if (previousHash === undefined) return ['- There is no previous module. Deploy one with the fix.']
  if (judgement?.wayBack.reversible === 'no') {
    return ['- The previous module can not be published over this one. Go forward: deploy a module with the fix.']
  }
  return [
    '- Go back: deploy the previous module, with `allow-breaking-clients: true`. It has the hash ' +
      `${code(previousHash)}; this step’s output \`previous-module\` is its path while the job runs.`,
    forward
  ]
}

/** The server states a hash with its bytes reversed, so that form is given. */
function askWhatIsLive({ server, database, moduleHash, previousHash }: Outcome): string {
  const url = `${server}/v1/database/${database}/sql`
  const previous = previousHash ? `; the previous one’s is ${code(moduleHashToU256(previousHash))}` : ''
  return (
    `- Ask what is live: ${code(`curl -s ${url} -d 'SELECT program_hash FROM st_module'`)}. ` +
    `The new module’s hash is ${code(moduleHashToU256(moduleHash))} there${previous}.`
  )
}
