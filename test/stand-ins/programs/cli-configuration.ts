import { readFileSync } from 'node:fs'
import { parse } from 'smol-toml'
import * as z from 'zod'
import { identityOf } from '../../../src/spacetimedb/identity.ts'
import { readClaims } from '../../../src/spacetimedb/jwt.ts'
import { Failure, refused } from './arguments.ts'

/** What `cli.toml` says. */
export type Configuration = {
  readonly token: string | undefined
  /** The URL of a server by its nickname, host or URL; of the default one without. */
  urlOf(server: string | undefined): string
}

const file = z.object({
  default_server: z.string().optional(),
  spacetimedb_token: z.string().optional(),
  server_configs: z
    .array(z.object({ nickname: z.string().optional(), host: z.string(), protocol: z.string() }))
    .default([])
})

/** Reads the file that `--config-path` names: a stand-in reads none of the user's. */
export function readConfiguration(path: string | undefined): Configuration {
  if (path === undefined) throw refused('it reads no configuration of the user: give --config-path')
  const { default_server, spacetimedb_token, server_configs } = file.parse(parse(readFileSync(path, 'utf8')))
  return {
    token: spacetimedb_token,
    urlOf: (server = default_server) => {
      if (server === undefined) throw new Failure('No default server configuration.')
      if (server.includes('://')) return server.replace(/\/+$/, '')
      const found = server_configs.find(({ nickname, host }) => nickname === server || host === server)
      if (found === undefined) throw new Failure(`No such saved server configuration: ${server}`)
      return `${found.protocol}://${found.host}`
    }
  }
}

/** The token, which has to be there: the stand-in opens no browser to get one. */
export function tokenOf({ token }: Configuration): string {
  if (token === undefined) throw refused('it does not log in: put a token into cli.toml')
  return token
}

/** `login show`. */
export function showLogin({ token }: Configuration): void {
  if (token === undefined) {
    console.log('You are not logged in. Run `spacetime login` to log in.')
    return
  }
  const { issuer, subject } = readClaims(token) ?? {}
  if (issuer === undefined || subject === undefined) throw new Failure('Token does not look like a JSON web token')
  console.log(`You are logged in as ${identityOf(issuer, subject)}`)
}
