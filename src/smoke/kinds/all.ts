import type { Runners } from '../run-one.ts'
import { runHttpRoute } from './http-route.ts'
import { runLog } from './log.ts'
import { runPing } from './ping.ts'
import { runProcedure } from './procedure.ts'
import { runReducer } from './reducer.ts'
import { runServedHash } from './served-hash.ts'
import { runSql } from './sql.ts'
import { runSubscription } from './subscription.ts'

/** What runs each kind of check. Code that puts a load on a server, or reads metrics, is loaded where it is used. */
export const allRunners: Runners = {
  ping: runPing,
  'served-hash': runServedHash,
  reducer: runReducer,
  procedure: runProcedure,
  sql: runSql,
  subscription: runSubscription,
  'http-route': runHttpRoute,
  log: runLog,
  metrics: async (...given) => (await import('./metrics.ts')).runMetrics(...given),
  connections: async (...given) => (await import('./connections.ts')).runConnections(...given),
  load: async (...given) => (await import('./load.ts')).runLoad(...given)
}
