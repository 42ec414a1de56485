import { testNames } from './server/names.ts'
import { testObservation } from './server/observation.ts'
import { testPublishing } from './server/publishing.ts'
import { testReducers } from './server/reducers.ts'
import { testSql } from './server/sql.ts'
import { testTokens } from './server/tokens.ts'
import { prepareWorld } from './server/world.ts'

/**
 * What this project relies on a SpacetimeDB server to do. Runs against an embedded server, or against the one that
 * `STDB_SERVER` names: both must pass.
 */
const world = prepareWorld()

testNames(world)
testPublishing(world)
testReducers(world)
testSql(world)
testTokens(world)
testObservation(world)
