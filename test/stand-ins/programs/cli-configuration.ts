import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { parse, stringify } from 'smol-toml'
import * as z from 'zod'
import { messageOf } from '../../../src/errors.ts'
import { identityOf } from '../../../src/spacetimedb/identity.ts'
import { readClaims } from '../../../src/spacetimedb/jwt.ts'
import { Failure, readArguments, refused } from './arguments.ts'

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

const local = { nickname: 'local', host: '127.0.0.1:3000', protocol: 'http' }

/** Reads the file that `--config-path` names, which is made when it is missing; a stand-in reads none of the user's. */
export function readConfiguration(path: string | undefined): Configuration {
  if (path === undefined) throw refused('it reads no configuration of the user: give --config-path')
  if (!existsSync(path)) save(path, { default_server: 'local', server_configs: [local] })
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

/** `login --server-issued-login SERVER`, of one that is not logged in yet. */
export async function logIn(args: readonly string[], path: string | undefined): Promise<void> {
  const { values } = readArguments(args, { 'server-issued-login': { type: 'string' } }, 'spacetime login [OPTIONS]')
  const server = values['server-issued-login']
  if (server === undefined) throw refused('it logs in to no web site: give --server-issued-login')
  const configuration = readConfiguration(path)
  if (path === undefined || configuration.token !== undefined) throw refused('it does not log out, and is logged in')
  const answer = await fetch(`${configuration.urlOf(server)}/v1/identity`, { method: 'POST' }).catch((error) => {
    throw new Failure(`error sending request for url (${server}/v1/identity)\n\nCaused by:\n    ${messageOf(error)}`)
  })
  if (!answer.ok) throw new Failure(`HTTP status ${answer.status} for url (${answer.url})`)
  const { token } = (await answer.json()) as { token: string }
  console.log('We have logged in directly to your target server.')
  console.log('WARNING: This login will NOT work for any other servers.')
  save(path, { ...parse(readFileSync(path, 'utf8')), spacetimedb_token: token })
  const { issuer, subject } = readClaims(token) ?? {}
  console.log(`Logged in with identity ${identityOf(`${issuer}`, `${subject}`)}`)
}

/** As the real one does: a new file beside it that takes its place, and a word about it. */
function save(path: string, content: Record<string, unknown>): void {
  console.error(`Saving config to ${path}.`)
  writeFileSync(`${path}.part`, stringify(content))
  renameSync(`${path}.part`, path)
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
