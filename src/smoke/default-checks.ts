import type { ModuleHash } from '../module/hash.ts'
import type { Schema } from '../module/schema.ts'
import type { Check, Checks } from './check.ts'
import { checksOf } from './check-of.ts'
import { checkList, defaultDeadline } from './checks-schema.ts'
import { chooseHealthCheck } from './health.ts'

/**
 * What is checked where nobody has written checks: the server answers, the database runs the module that it should (if
 * that is known), `health_check` succeeds (if the module has one without parameters), and no panic is in the log.
 */
export function defaultChecks(schema: Schema, expectedHash: ModuleHash | undefined): Checks {
  const health = chooseHealthCheck({ kind: 'auto' }, schema)
  const checks = [
    { ping: true, retries: 2 },
    ...(expectedHash === undefined ? [] : [servedHash]),
    ...(health === undefined ? [] : [healthCheck(health, schema)]),
    noPanic
  ]
  return { checks: fromDefaults(checks), deadline: defaultDeadline }
}

const servedHash = { 'served-hash': true, retries: 2 }

/** Only the owner may read a log: for others the check is left out. */
const noPanic = { name: 'No panic in the log', log: { below: 'panic' }, optional: true }

/** Repeated when its answer is lost, so a health check must be repeatable. */
function healthCheck(name: string, { procedures }: Schema): object {
  const kind = procedures.some((procedure) => procedure.name === name) ? 'procedure' : 'reducer'
  return { [kind]: name, retries: 2 }
}

function fromDefaults(checks: readonly object[]): Check[] {
  return checksOf(checkList.parse(checks).map((written) => ({ written, origin: { kind: 'default' } })))
}

/** The default check that no panic is in the log. */
export function noPanicCheck(): Check<'log'> {
  return fromDefaults([noPanic])[0] as Check<'log'>
}

/** The default check that the database runs the module that it should. */
export function servedHashCheck(): Check<'served-hash'> {
  return fromDefaults([servedHash])[0] as Check<'served-hash'>
}
