import type { Clock } from '../clock.ts'
import type { Module } from '../module/module.ts'
import type { Server } from '../spacetimedb/server.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Ending } from './deployment.ts'
import { findLiveState, isModule, type Release, type Releases } from './live-state.ts'
import { rollBack } from './roll-back.ts'

/** How long, in milliseconds, a publish that was cut off may still be under way on the server. */
const afterglow = 6_000

/**
 * Finishes or undoes a deploy that was cut off by a cancelled job or a killed process: the database ends in one of
 * the two releases, and the ending says in which. Never throws. `load` reads a module from a file.
 */
export async function recover(
  server: Server,
  database: string,
  checkpoint: Checkpoint,
  load: (path: string) => Promise<Module>,
  clock: Clock
): Promise<Ending> {
  const next = await loadRelease(checkpoint.next, load)
  const previous = checkpoint.previous && (await loadRelease(checkpoint.previous, load))
  const live = await settledState(server, database, { next, previous }, clock)
  switch (live.kind) {
    case 'unknown':
      return { result: 'unknown', live, reason: `The job was cut off while publishing. ${live.reason ?? ''}` }
    case 'none':
    case 'previous':
      return undone(checkpoint, live.kind)
    case 'other':
      return { result: 'failed', live, reason: 'The job was cut off, and somebody else has published since.' }
    case 'new':
      break
  }
  if (!previous) return { result: 'unhealthy', live, reason: `${cutOff} There is no previous module to go back to.` }
  if (checkpoint.onFailure === 'keep' && checkpoint.phase === 'changing') {
    return { result: 'unhealthy', live, reason: `${cutOff} It was kept, as "on-failure: keep" asks.` }
  }
  if (!isModule(previous)) {
    const reason = `${cutOff} The previous module can't be read again from ${checkpoint.previous?.path}.`
    return { result: 'rollback-failed', live, reason }
  }
  const outcome = await rollBack(server, { database, previous, next }, clock)
  const why = outcome.reason && ` ${outcome.reason}`
  return { result: outcome.result, live: outcome.live, reason: `${cutOff}${why}` }
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

const cutOff = 'The job was cut off before the new module was known to be healthy.'

function undone(checkpoint: Checkpoint, live: 'previous' | 'none'): Ending {
  if (checkpoint.phase === 'rolling-back' && live === 'previous') {
    return { result: 'rolled-back', live: { kind: live }, reason: 'The job was cut off while it was rolling back.' }
  }
  return { result: 'failed', live: { kind: live }, reason: 'The job was cut off before the new module went live.' }
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
