import type { Clock } from '../clock.ts'
import type { Module } from '../module/module.ts'
import type { Server } from '../spacetimedb/server.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Ending } from './deployment.ts'
import { findLiveState, isModule, type Release, type Releases } from './live-state.ts'
import { afterglow } from './publish.ts'
import { rollBack } from './roll-back.ts'
import { publishedModule } from './undertaking.ts'

/**
 * Finishes or undoes a deploy that was cut off by a cancelled job or a killed process, or whose publish may have
 * landed late: the database ends in one of the two releases, and the ending says in which. Never throws; `undefined`
 * when there is nothing more to say than the deploy itself has said. `load` reads a module from a file.
 */
export async function recover(
  server: Server,
  checkpoint: Checkpoint,
  load: (path: string) => Promise<Module>,
  clock: Clock
): Promise<Ending | undefined> {
  const { database } = checkpoint
  if (checkpoint.phase === 'preparing') return cutOffInSteps
  const next = await loadRelease(checkpoint.next, load)
  const previous = checkpoint.previous && (await loadRelease(checkpoint.previous, load))
  const live = await settledState(server, database, { next, previous }, clock)
  switch (live.kind) {
    case 'unknown':
      if (checkpoint.phase === 'unsettled') return undefined
      return { result: 'unknown', live, reason: `${whatHappened(checkpoint)} ${live.reason ?? ''}` }
    case 'none':
    case 'previous':
      return undone(checkpoint, live.kind)
    case 'other': {
      const reason = `${whatHappened(checkpoint)} Somebody else has published since; that was left alone.`
      return { result: checkpoint.phase === 'rolling-back' ? 'rollback-failed' : 'failed', live, reason }
    }
    case 'new':
      return withdraw(server, checkpoint, { next, previous }, clock)
  }
}

const cutOffInSteps: Ending = {
  result: 'failed',
  live: { kind: 'previous' },
  reason:
    'The job was cut off while the steps before the publish ran. Nothing was published; which of the steps were carried out is not known: look at the data.',
  isCutOff: true,
  stepsRan: true
}

/** What the main step left behind. */
function whatHappened({ phase, undertaking = 'deploy' }: Checkpoint): string {
  switch (phase) {
    case 'preparing':
      return ''
    case 'changing':
      return `The ${undertaking} did not come to its end: nobody knows whether ${publishedModule(undertaking)} is healthy.`
    case 'rolling-back':
      return `The ${undertaking} did not come to the end of its rollback.`
    case 'unsettled':
      return `The ${undertaking} ended without knowing what became of its publish: it was carried out.`
    case 'settled':
      return `The ${undertaking} came to its end.`
  }
}

/** The new module is live, and nobody has found it healthy. */
async function withdraw(
  server: Server,
  checkpoint: Checkpoint,
  { next, previous }: Releases,
  clock: Clock
): Promise<Ending> {
  const { database, phase, onFailure, ...saved } = checkpoint
  const live = { kind: 'new' } as const
  const steps = saved.hasSteps ? ' Steps after the publish may have run in part: look at the data.' : ''
  const why = `${whatHappened(checkpoint)}${steps}`
  const isCutOff = phase !== 'rolling-back'
  if (onFailure === 'keep' && phase !== 'rolling-back') {
    return { result: 'unhealthy', live, isCutOff, reason: `${why} It was kept: this job does not go back by itself.` }
  }
  if (!previous) {
    return { result: 'unhealthy', live, isCutOff, reason: `${why} There is no previous module to go back to.` }
  }
  if (!isModule(previous)) {
    const reason = `${why} The previous module can't be read again from ${saved.previous?.path}.`
    return { result: 'rollback-failed', live, isCutOff, reason }
  }
  const outcome = await rollBack(server, { database, previous, next }, clock)
  const failure = outcome.reason && `\nGoing back failed: ${outcome.reason}`
  return { result: outcome.result, live: outcome.live, isCutOff, reason: `${why}${failure}` }
}

/** The module as it was, or its hash alone when the file is gone or holds something else by now. */
async function loadRelease(saved: Checkpoint['next'], load: (path: string) => Promise<Module>): Promise<Release> {
  try {
    const module = await load(saved.path)
    return module.hash === saved.hash ? module : { hash: saved.hash }
  } catch {
    return { hash: saved.hash }
  }
}

function undone({ phase, undertaking = 'deploy' }: Checkpoint, live: 'previous' | 'none'): Ending | undefined {
  if (phase === 'unsettled') return undefined
  if (phase === 'rolling-back' && live === 'previous') {
    return { result: 'rolled-back', live: { kind: live }, reason: 'The deploy was cut off while it was rolling back.' }
  }
  const claimed = live === 'none' ? ' Its name may be claimed by now: then anyone can publish to it.' : ''
  const reason = `The ${undertaking} was cut off before ${publishedModule(undertaking)} went live.${claimed}`
  return { result: 'failed', live: { kind: live }, reason, isCutOff: true }
}

/** A publish may land after its process is gone, so the old release is only believed when it stays. */
async function settledState(server: Server, database: string, releases: Releases, clock: Clock) {
  const deadline = clock.now() + afterglow
  for (;;) {
    const live = await findLiveState(server, database, releases, clock)
    const mayStillChange = live.kind === 'previous' || live.kind === 'none'
    if (!mayStillChange || clock.now() >= deadline) return live
    await clock.sleep(1000)
  }
}
