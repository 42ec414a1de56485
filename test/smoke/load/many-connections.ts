import { runConnections } from '../../../src/smoke/kinds/connections.ts'
import { attempt, checkOf, placeAt } from './trial.ts'

/** Connects more clients to the server at the address given than a process with few files can, and prints the finding. */
const [, , url = ''] = process.argv
const check = checkOf('connections', { connections: 200, stay: '10s' })
console.log(JSON.stringify(await runConnections(check, placeAt(url), attempt())))
