import { randomUUID } from 'node:crypto'
import type { Identity } from '../../src/spacetimedb/identity.ts'
import { identityOf, isIdentity } from '../../src/spacetimedb/identity.ts'
import type { Database, DatabaseRecord } from './database.ts'
import { HttpError } from './http-error.ts'
import type { SigningKeys } from './tokens.ts'

/** Everything that a server keeps when it is stopped and started again. */
export type ServerState = {
  readonly keys: SigningKeys
  /** Which database a name stands for, whether there is one or not. */
  readonly names: Map<string, Identity>
  /** Who may have a name: whoever was first. */
  readonly nameOwners: Map<string, Identity>
  readonly databases: Map<Identity, DatabaseRecord>
  readonly locked: Set<Identity>
}

/** The databases and their names. */
export class Control {
  readonly state: ServerState
  readonly running = new Map<Identity, Database>()

  constructor(state: ServerState) {
    this.state = state
  }

  /** The identity of a name or identity in a path. Throws a 400 for what can be neither. */
  find(nameOrIdentity: string): Identity | undefined {
    const digits = nameOrIdentity.toLowerCase()
    if (isIdentity(digits)) return digits
    const problem = nameProblem(nameOrIdentity)
    if (problem !== undefined) throw new HttpError(400, `Invalid URL: ${problem}`)
    return this.state.names.get(nameOrIdentity)
  }

  /** Throws the 404 for a name that stands for nothing. */
  resolve(nameOrIdentity: string): Identity {
    const identity = this.find(nameOrIdentity)
    if (identity === undefined) throw new HttpError(404, `\`${nameOrIdentity}\` not found`)
    return identity
  }

  /** The database, or the 404 of the two that fits. */
  database(nameOrIdentity: string): Database {
    const database = this.running.get(this.resolve(nameOrIdentity))
    if (database === undefined) throw new HttpError(404, 'No such database.')
    return database
  }

  /** Throws a 400 for what is no identity. */
  ownedBy(owner: string): Identity[] {
    if (!isIdentity(owner)) throw new HttpError(400, 'Invalid URL: Cannot parse `identity`')
    return [...this.state.databases.values()].filter((record) => record.owner === owner).map(({ identity }) => identity)
  }

  namesOf(database: Identity): string[] {
    return [...this.state.names].flatMap(([name, identity]) => (identity === database ? [name] : []))
  }

  /** Gives a database another name. Answers whether the name was to be had. */
  addName(name: string, database: Identity, owner: Identity): boolean {
    if ((this.state.nameOwners.get(name) ?? owner) !== owner) return false
    this.state.nameOwners.set(name, owner)
    this.state.names.set(name, database)
    return true
  }

  dropNames(database: Identity): void {
    for (const name of this.namesOf(database)) this.state.names.delete(name)
  }

  newIdentity(): Identity {
    return identityOf('localhost', randomUUID())
  }
}

/** What is wrong with a database's name, if anything is. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'database names cannot be empty'
  if (isIdentity(name)) return 'database names cannot be identities'
  if (!/^[a-z0-9-]*$/.test(name)) return 'invalid characters in database name'
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) ? undefined : 'invalid hyphen in database name'
}
