import { resolve } from 'node:path'
import { connectAsNobody, openConnection, openPublicConnection } from '../../src/action/connection.ts'
import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { writeSummary } from '../../src/action/summary.ts'
import { systemClock } from '../../src/clock.ts'
import { ConfigurationError } from '../../src/errors.ts'
import type { ModuleHash } from '../../src/module/hash.ts'
import { renderDeployment } from '../../src/release/summary.ts'
import { SetupFailure } from '../../src/setup/failure.ts'
import { hasPassed, type SmokeReport } from '../../src/smoke/check-report.ts'
import { defaultChecks } from '../../src/smoke/default-checks.ts'
import { findLogMark } from '../../src/smoke/log-mark.ts'
import type { CheckPlace } from '../../src/smoke/place.ts'
import { runChecks } from '../../src/smoke/run-checks.ts'
import { soak } from '../../src/smoke/soak.ts'
import { databaseName } from '../../src/spacetimedb/database-name.ts'
import type { Server } from '../../src/spacetimedb/server.ts'
import { checksIn, insistOnRunnable, makeReportFolder, tellCheck } from '../checking.ts'
import type { GivenModule } from '../given-module.ts'
import { LeftoversKeeper, leftoversFolder, showEndOfLog } from '../leftovers.ts'
import { failureOf, stepFolder } from '../releasing.ts'
import { startFor, type ThrowAway } from '../server-for-module.ts'
import { recordedHash } from './recorded-module.ts'
import { plainDatabase, rehearsableOf, rehearseRelease, type SmokeTest } from './rehearsing.ts'
import { conclude } from './reporting.ts'
import { isThrowAway, type spec, usualChecks } from './spec.ts'
import { leftovers } from './state.ts'
import { publishTo } from './throw-away.ts'
import { givenHash, wantedModule } from './wanted-module.ts'

type SmokeInputs = Inputs<typeof spec>
type SmokeStep = Step<typeof spec>
type SmokeOutcome = Outcome<typeof spec>

export async function main(inputs: SmokeInputs, step: SmokeStep): Promise<SmokeOutcome> {
  const folder = inputs.reportFolder === undefined ? stepFolder(step.environment) : resolve(inputs.reportFolder)
  await makeReportFolder(folder)
  const written = await checksIn(inputs, usualChecks)
  const wanted = await wantedModule(inputs, stepFolder(step.environment), step.environment)
  const smoke: SmokeTest = { inputs, step, folder, written, wanted }
  return isThrowAway(inputs.server) ? testOnThrowAway(smoke) : testWhereDeployed(smoke)
}

/** Starts a server, has it checked, and ends it whatever happens. */
async function testOnThrowAway(smoke: SmokeTest): Promise<SmokeOutcome> {
  const { inputs, step, wanted } = smoke
  if (wanted === undefined) throw new Error('a throw-away server without a module')
  const left = new LeftoversKeeper(leftoversFolder('smoke', step.environment), leftovers)
  try {
    const rehearsable = await rehearsableOf(inputs, wanted, step, left.root)
    const throwAway = await startFor(wanted, inputs, step, left)
    const outcome =
      (await rehearseRelease(rehearsable, throwAway, smoke)) ??
      (await publishAndCheck(throwAway, wanted, smoke, plainDatabase(rehearsable, inputs)))
    // A log may tell of rows that were copied from a live database.
    if (outcome.failure && inputs.rehearse !== 'live') await showEndOfLog(throwAway.logFile)
    return outcome
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error
    return { outputs: {}, failure: { title: `smoke-test: ${error.kind}`, message: error.message } }
  } finally {
    await left.endServer()
  }
}

async function publishAndCheck(
  throwAway: ThrowAway,
  wanted: GivenModule,
  smoke: SmokeTest,
  database: string
): Promise<SmokeOutcome> {
  const { step } = smoke
  const deployment = await publishTo(throwAway, wanted, database, step)
  const failing = failureOf('smoke-test', deployment, database)
  if (failing.failure) {
    await writeSummary(renderDeployment(deployment), step.environment)
    return { outputs: { moduleHash: wanted.module.hash }, ...failing }
  }
  const { server } = throwAway.connection
  const report = await check(smoke, { server, database, expectedHash: wanted.module.hash, isThrowAway: true })
  return conclude(report, smoke.folder, step.environment, { isThrowAway: true })
}

async function testWhereDeployed(smoke: SmokeTest): Promise<SmokeOutcome> {
  const { inputs, step, wanted } = smoke
  const database = databaseName(inputs.database ?? '')
  const server = await serverOf(inputs, step)
  const resolution = await server.resolve(database)
  if (resolution.kind !== 'exists') {
    throw new ConfigurationError(
      `There is no database "${database}" on ${server.url} to check. Correct the inputs \`server\` and \`database\`, or deploy before.`
    )
  }
  const expectedHash =
    wanted?.module.hash ?? givenHash(inputs) ?? (await recordedHash(inputs, server, database, step.environment))
  const report = await check(smoke, { server, database, expectedHash, isThrowAway: false })
  return conclude(report, smoke.folder, step.environment, { isThrowAway: false })
}

/** Without a credential it is asked what anyone may ask. */
async function serverOf(inputs: SmokeInputs, { environment }: SmokeStep): Promise<Server> {
  if (inputs.token === undefined && inputs.auth === undefined) return openPublicConnection(inputs.server)
  return (await openConnection(inputs, environment)).server
}

type Target = {
  readonly server: Server
  readonly database: string
  readonly expectedHash: ModuleHash | undefined
  readonly isThrowAway: boolean
}

/** Runs the checks and watches on. Throws a `ConfigurationError` when it is known before that some can't be run. */
async function check({ inputs, step, written }: SmokeTest, target: Target): Promise<SmokeReport> {
  const { server, database } = target
  const cancelled = step.cancellation.signal
  const schema = await server.schema(database)
  const checks = written ?? defaultChecks(schema, target.expectedHash)
  const place: CheckPlace = {
    ...target,
    anonymous: connectAsNobody(server.url),
    schema,
    // What everybody's module has to do on a real database is asked of now; else of all since the publish.
    since: await findLogMark(server, database, {
      from: written || target.isThrowAway ? 'publish' : 'start',
      clock: systemClock,
      signal: cancelled
    }),
    clock: systemClock,
    cancelled
  }
  const against = insistOnRunnable(checks, place, inputs, step)
  const isSoakNext = inputs.soak !== undefined
  const report = await runChecks(checks, place, { onReport: tellCheck, objections: against, isSoakNext })
  if (inputs.soak === undefined || !hasPassed(report)) return report
  return { ...report, soak: await soak(checks, place, inputs.soak, { since: report.logMark }) }
}
