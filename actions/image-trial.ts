import { randomUUID } from 'node:crypto'
import * as core from '@actions/core'
import { connectAsNobody } from '../src/action/connection.ts'
import type { Environment } from '../src/action/inputs.ts'
import { log } from '../src/action/log.ts'
import { writeSummary } from '../src/action/summary.ts'
import { systemClock } from '../src/clock.ts'
import { endOfTrialLog, removeTrial, type Service, startTrial, waitForHealth } from '../src/image/container.ts'
import type { Docker } from '../src/image/docker.ts'
import type { ModuleHash } from '../src/module/hash.ts'
import { redactLog } from '../src/setup/local-server.ts'
import { failuresOf, hasPassed, type SmokeReport } from '../src/smoke/check-report.ts'
import { defaultChecks } from '../src/smoke/default-checks.ts'
import { renderSmoke } from '../src/smoke/report/summary.ts'
import { runChecks } from '../src/smoke/run-checks.ts'
import type { Server } from '../src/spacetimedb/server.ts'
import { createTransport } from '../src/spacetimedb/transport.ts'
import { version } from '../src/version.ts'
import type { LeftKeeper } from './image-leftovers.ts'

export type TrialRun = {
  /** A name that the engine has. */
  readonly image: string
  readonly hash: ModuleHash | undefined
  /** In milliseconds. */
  readonly timeout: number
  readonly kept: LeftKeeper
  readonly environment: Environment
  readonly cancelled: AbortSignal
}

/** How an image did. */
export type Tried = { readonly kind: 'good' } | { readonly kind: 'bad'; readonly reason: string }

/**
 * Runs an image with a volume that is thrown away: waits until it is healthy, then checks what holds for every module. The
 * container is removed whatever happens; of one that did badly the log is shown.
 */
export async function tryImage(docker: Docker, run: TrialRun): Promise<Tried> {
  const name = `stdb-smoke-${randomUUID().slice(0, 12)}`
  run.kept.add({ container: name })
  log(`Trying ${run.image} …`)
  try {
    const tried = await tryContainer(docker, name, run)
    if (tried.kind === 'bad') await showLog(docker, name)
    return tried
  } finally {
    await removeTrial(docker, name)
    run.kept.add({ container: undefined })
  }
}

async function tryContainer(docker: Docker, name: string, run: TrialRun): Promise<Tried> {
  const { image, timeout, hash, environment } = run
  const url = await startTrial(docker, { name, image, database })
  const ask = () => askForDatabase(url)
  const health = await waitForHealth(docker, name, { ask, clock: systemClock, timeout })
  if (health.kind === 'cancelled') throw cancelledTrial()
  if (health.kind === 'not-healthy') return { kind: 'bad', reason: `It is not healthy: ${health.reason}.` }
  const report = await check(connectAsNobody(url), hash, run.cancelled)
  if (run.cancelled.aborted) throw cancelledTrial()
  await writeSummary(renderSmoke(report), environment)
  if (hasPassed(report)) return { kind: 'good' }
  const failed = failuresOf(report)
  return { kind: 'bad', reason: `Checks failed: ${failed.map(({ check: { name: title } }) => title).join(', ')}.` }
}

/** What the image is told to serve. */
const database = 'smoke-test'

/** Asked once each time, since the container may end meanwhile (docs/server-behaviour.md, "Names"). */
async function askForDatabase(url: string): Promise<Service> {
  const result = await createTransport(`stdb-actions/${version}`).exchange({
    method: 'GET',
    url: `${url}/v1/database/${database}`,
    headers: {},
    timeout: 5_000,
    longestAnswer: 1 << 16,
    mayShareConnection: false
  })
  if (result.kind !== 'answered') return 'unreachable'
  return result.answer.status === 200 ? 'serves' : 'serves-not'
}

function cancelledTrial(): Error {
  return new Error('The trial of the image was ended: the job was cancelled.')
}

async function check(server: Server, hash: ModuleHash | undefined, cancelled: AbortSignal): Promise<SmokeReport> {
  const schema = await server.schema(database)
  const place = {
    server,
    anonymous: server,
    database,
    expectedHash: hash,
    schema,
    since: { after: 0n, what: 'start' },
    isThrowAway: true,
    clock: systemClock,
    cancelled
  } as const
  return runChecks(defaultChecks(schema, hash), place, {
    onReport: ({ check: { name }, outcome }) =>
      log(`  ${outcome.kind === 'passed' ? '✓' : '–'} ${name}: ${outcome.kind}`)
  })
}

async function showLog(docker: Docker, name: string): Promise<void> {
  core.startGroup('The end of the log of the container')
  log(redactLog(await endOfTrialLog(docker, name, 200)) || '(it is empty)')
  core.endGroup()
}
