import { isTokenOf } from '../../module/hash.ts'
import type { Module } from '../../module/module.ts'
import { findModule, liveSource, triedTexts } from '../module-sources.ts'
import type { NoTarget, Target } from './target.ts'
import type { RollbackWork } from './work.ts'

export type Fetched = { readonly kind: 'module'; readonly module: Module } | NoTarget

/** The bytes of what is to be restored, proved by their hash. Throws the server's failures. */
export async function fetchTarget(work: RollbackWork, target: Target): Promise<Fetched> {
  const { goal } = work.request
  const fetched: Fetched =
    goal.kind === 'module' ? { kind: 'module', module: goal.module } : await fromSources(work, target)
  if (fetched.kind === 'none' || target.presumedLive === undefined) return fetched
  return (await isPresumedLive(work, target, fetched.module)) ? fetched : { kind: 'none', reason: notAsPresumed }
}

function fromSources({ request, tools, journal, findings }: RollbackWork, { hash, release }: Target): Promise<Fetched> {
  return journal.step('Find its module', async (step) => {
    const live = findings.liveHash === hash ? [liveSource(tools.server, request.database)] : []
    const search = await findModule(hash, [...live, ...tools.sourcesFor(release?.record)])
    findings.tried = search.tried
    for (const text of triedTexts(search.tried)) journal.tell(`    ${text}`)
    if (search.kind === 'found') {
      findings.source = search.source
      step.detail(`${hash.slice(0, 12)}, from ${search.source}`)
      return { kind: 'module', module: search.module }
    }
    step.fail('nobody has its bytes')
    const where =
      search.tried.length === 0 ? 'There is no place to look for it.' : `\n${triedTexts(search.tried).join('\n')}\n`
    const reason = `The bytes of module ${hash} were not found, so nothing was published. ${where}${bringIt}`
    return { kind: 'none', reason }
  })
}

const bringIt =
  'If you have the file, give it as `module`. Else build the commit of that release again and deploy what comes out.'

/** A plan's token is made of what is live (docs/server-behaviour.md, "Compare and swap"). */
async function isPresumedLive({ request, tools, findings }: RollbackWork, target: Target, module: Module) {
  const plan = await tools.server.plan(request.database, module)
  const { databaseIdentity } = findings
  if (target.presumedLive === undefined || databaseIdentity === undefined) return false
  // What can't be published gets no token; the plan says so a step later.
  if (plan.kind !== 'automatic') return true
  return isTokenOf(plan.token, databaseIdentity, target.presumedLive, module.hash)
}

const notAsPresumed =
  'The live module lets nobody read it, and it is not the one of the newest release in the ledger: somebody published past ' +
  'it. Which release was the previous one is not known then. Say where to go: `to` with the id of a release, or `module`.'
