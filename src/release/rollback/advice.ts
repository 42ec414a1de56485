import { code, escapeMarkdown } from '../../markdown.ts'
import { askWhatIsLive, lookAtLogs, lookForBackup, lookWhatIsThere, seeTo } from '../advice.ts'
import { rollForward } from './roll-forward.ts'
import type { Rollback } from './rollback.ts'
import { nameOf } from './target.ts'

/** What somebody who rolls back should do next, as Markdown list items; none when there is nothing to do. */
export function adviceOnRollback(rollback: Rollback): readonly string[] {
  const { ending, target, server, database, liveHash } = rollback
  switch (ending.result) {
    case 'rolled-back':
      return [
        '- Mend what was left before anything is deployed from its branch again: that would bring it back.',
        '- It is not the right one? Another rollback goes back one release further.'
      ]
    case 'planned':
      return target?.release === undefined
        ? []
        : [
            `- To do exactly this, run it without \`dry-run\` and with ${code(`to: ${target.release.id}`)}: that means this release, whatever is published in between.`
          ]
    case 'refused':
      return onRefusal(rollback)
    case 'unhealthy':
      if (ending.isAnew) return [lookForBackup]
      return [
        lookAtLogs({ server, database }),
        `- If ${target ? escapeMarkdown(nameOf(target)) : 'the module'} was well before, it may not get on with what was written since: go back further, or deploy a module with a fix.`
      ]
    case 'unknown':
      return target === undefined
        ? []
        : [
            askWhatIsLive({ server, database, moduleHash: target.hash, previousHash: liveHash }),
            `- Then run it again with ${code(`to: ${target.release?.id ?? target.hash}`)}: a module that is live already is only checked.`
          ]
    default:
      return onFailure(rollback)
  }
}

function onRefusal({ ending, deployment, target, server, database }: Rollback): readonly string[] {
  const { unmet = [], isDrift } = ending
  if (isDrift) return [lookWhatIsThere, '- Then run the rollback again with `on-drift: adopt`.']
  if (unmet.length > 0) {
    return [
      ...unmet.map((condition) => seeTo(condition, server, database)),
      '- Then run the rollback again. If the rows have to stay, roll forward: deploy the earlier code with these tables left in it.'
    ]
  }
  const { judgement } = deployment ?? {}
  if (judgement?.verdict === 'manual') return rollForward(judgement.changes, target?.release)
  return ['- Set the input that the reason names, when what it says is less bad than what is live now.']
}

function onFailure({ ending, deployment }: Rollback): readonly string[] {
  if (ending.live.kind === 'other') {
    return [lookWhatIsThere, '- Then make a dry run: what `previous` means may have become another release.']
  }
  // Without a deployment the reason says what to give instead.
  if (deployment === undefined || ending.isConfiguration) return []
  return ['- Nothing has to be undone. Run the rollback again when the cause is gone.']
}
