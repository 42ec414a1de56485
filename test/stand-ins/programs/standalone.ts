import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { Failure, readArguments, refused, runToEnd, UsageError } from './arguments.ts'
import { version } from './baked.ts'
import { placeDescribeChild } from './describe-child-file.ts'
import { keysIn } from './signing-keys.ts'

/**
 * A stand-in for `spacetimedb-standalone`: the embedded server of the tests (test/embedded) under the real name, with
 * the real flags of crates/standalone/src/subcommands. It differs from the real one in what the embedded server does
 * not do, writes its databases to disk only when SIGINT ends it, and puts nothing else into its data folder but what it
 * needs itself. It does not listen where others reach it unless it is told to.
 */
async function main(): Promise<void> {
  const [command, ...args] = process.argv.slice(2)
  switch (command) {
    case '--version':
      return console.log(`spacetimedb spacetimedb tool version ${version}; spacetimedb-lib version ${version};`)
    case '-V':
      return console.log(`spacetimedb ${version}`)
    case 'start':
      return start(args)
    case 'extract-schema':
      return extractSchema(args)
    case undefined:
      throw new UsageError("'spacetimedb' requires a subcommand but one was not provided")
    default:
      throw new UsageError(`unrecognized subcommand '${command}'`)
  }
}

const startOptions = {
  'listen-addr': { type: 'string', short: 'l' },
  'data-dir': { type: 'string' },
  'jwt-key-dir': { type: 'string' },
  'jwt-pub-key-path': { type: 'string' },
  'jwt-priv-key-path': { type: 'string' },
  'in-memory': { type: 'boolean' },
  'non-interactive': { type: 'boolean' },
  'page-pool-max-size': { type: 'string' },
  'pg-port': { type: 'string' },
  'enable-tracy': { type: 'boolean' }
} as const

async function start(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(args, startOptions, 'spacetime start [OPTIONS]')
  if (positionals[0] !== undefined) throw new UsageError(`unexpected argument '${positionals[0]}' found`)
  const dataDir = values['data-dir']
  const { 'jwt-pub-key-path': publicPath, 'jwt-priv-key-path': privatePath } = values
  if (dataDir === undefined) {
    throw new UsageError('the following required arguments were not provided:\n  --data-dir <data_dir>')
  }
  if (publicPath === undefined || privatePath === undefined) {
    throw refused('it keeps no keys elsewhere: give --jwt-pub-key-path and --jwt-priv-key-path')
  }
  if (!values['non-interactive']) throw refused('it asks nothing: give --non-interactive')
  const { host, port } = listenAddress(values['listen-addr'])
  mkdirSync(dataDir, { recursive: true })
  console.log(`A stand-in for spacetimedb-standalone, which is not SpacetimeDB`)
  console.log(`spacetimedb-standalone version: ${version}`)
  console.log(`spacetimedb-standalone path: ${process.argv[1]}`)
  console.log(`database running in data directory ${dataDir}`)
  const keys = await keysIn(publicPath, privatePath)
  placeDescribeChild(join(dataDir, 'stand-in'))
  const { startServer } = await import('../../embedded/server.ts')
  const stateFile = join(dataDir, 'stand-in', 'state')
  const { keepState, keptState } = await import('./kept-state.ts')
  const state = values['in-memory'] ? undefined : await keptState(stateFile, keys)
  const server = await startServer({ host, port, keys, ...(state !== undefined && { state }) }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') throw error
      const advice = 'Please free up the port or specify a different port with --listen-addr.'
      throw new Failure(`Port ${port} is already in use. ${advice}`)
    }
  )
  console.log(`${new Date().toISOString()}  INFO: Starting SpacetimeDB listening on ${new URL(server.url).host}`)
  process.once('SIGINT', () => {
    console.log(`${new Date().toISOString()}  INFO: Shutting down server...`)
    void server.close().then((state) => {
      if (!values['in-memory']) keepState(stateFile, state)
    })
  })
}

type ListenAddress = { readonly host: '127.0.0.1' | '0.0.0.0'; readonly port: number }

function listenAddress(address = ''): ListenAddress {
  const [, host, port] = /^(.*):(\d+)$/.exec(address) ?? []
  if (host === '127.0.0.1' || host === 'localhost') return { host: '127.0.0.1', port: Number(port) }
  if (host === '0.0.0.0') return { host, port: Number(port) }
  throw refused(
    `it listens on 127.0.0.1 or 0.0.0.0, which has to be said, and --listen-addr is ${address || 'not given'}`
  )
}

async function extractSchema(args: readonly string[]): Promise<void> {
  const usage = 'extract-schema [OPTIONS] <MODULE>'
  const { values, positionals } = readArguments(args, { 'host-type': { type: 'string' } }, usage)
  const [path] = positionals
  if (path === undefined) throw new UsageError('the following required arguments were not provided:\n  <MODULE>')
  const kind = values['host-type'] ?? extname(path).slice(1)
  if (kind !== 'wasm' && kind !== 'js') {
    throw new Failure('--host-type not provided but cannot deduce from file extension')
  }
  const folder = mkdtempSync(join(tmpdir(), 'stand-in-'))
  try {
    placeDescribeChild(folder)
    const { schemaOf } = await import('./extracted-schema.ts')
    process.stdout.write(await schemaOf(readModule(path), kind))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function readModule(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path))
  } catch {
    throw new Failure(`could not read module file ${path}`)
  }
}

void runToEnd(main)
