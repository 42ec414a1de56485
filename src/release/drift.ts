import { ConfigurationError } from '../errors.ts'
import type { ModuleHash } from '../module/hash.ts'
import type { Drift } from './ledger/history.ts'
import type { RecordedRelease } from './ledger/ledger.ts'
import { type Undertaking, undertakingOf } from './undertaking.ts'
import type { Work } from './work.ts'

/**
 * Compares what is live with what the ledger says, and warns when somebody has published past it. Answers why the deploy
 * is to stop, in whole sentences; none when it may go on. `live` is `undefined` when nobody can read it. Throws a
 * `ConfigurationError` when the deploy is to stop on drift, and there is nothing that tells.
 */
export async function objectionsOfLedger(
  { request, recorder, journal }: Work,
  live: ModuleHash | undefined
): Promise<readonly string[]> {
  const mustMatch = request.onDrift === 'fail'
  const undertaking = undertakingOf(request.notes)
  if (recorder === undefined) {
    if (!mustMatch) return []
    throw new ConfigurationError(
      'There is no ledger of releases here, so `on-drift: fail` has nothing to compare with. It needs `ledger: github`, a run of GitHub Actions and a `github-token` that may read deployments; or leave `on-drift` out.'
    )
  }
  if (live === undefined)
    return mustMatch ? [`Nobody can read which module is live. ${cannotCompare(undertaking)}`] : []
  const standing = await recorder.standingOf(live)
  if (standing.kind === 'failed') {
    return mustMatch
      ? [`The ledger of releases could not be read: ${standing.reason}. ${cannotCompare(undertaking)}`]
      : []
  }
  const { drift } = standing.value
  if (drift === undefined) return []
  if (!mustMatch) journal.warn(driftText(drift))
  return mustMatch ? [`${driftText(drift)} ${adopt(undertaking)}`] : []
}

function cannotCompare(undertaking: Undertaking): string {
  return `So it is not known whether it is the one that was released last, and this ${undertaking} is to stop then (\`on-drift: fail\`).`
}

function adopt(undertaking: Undertaking): string {
  return `This ${undertaking} is to stop then (\`on-drift: fail\`): find out what was published and why. \`on-drift: adopt\` writes it down as a release and goes on.`
}

/** What was live and what should have been, as far as it is known who published what, and when. */
export function driftText({ liveHash, expected, knownAs }: Drift): string {
  const known = knownAs ? `which release ${knownAs.id} had (${whoAndWhen(knownAs)})` : 'of which there is no release'
  return (
    `Somebody has published past the ledger of releases: module ${liveHash} was found live, ${known}. It should have been ` +
    `module ${expected.record.moduleHash} of release ${expected.id} (${whoAndWhen(expected)}). Only the owner of the database can publish; when that was, a server does not tell.`
  )
}

function whoAndWhen({ record, by, begun, url }: RecordedRelease): string {
  const who = record.actor ?? by
  const parts = [record.action, new Date(begun).toISOString(), who && `by ${who}`, record.run ?? url]
  return parts.filter(Boolean).join(', ')
}
