import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { runProgram } from '../../src/process.ts'
import { fixtureModule } from '../fixtures.ts'
import { installPrograms } from './archives.ts'

/** Other work may keep the machine busy. */
jest.setTimeout(90_000)

const folder = mkdtempSync(join(tmpdir(), 'programs-'))
const installed = await installPrograms(join(folder, 'bin'), '2.8.3')
const started: ChildProcess[] = []

afterAll(async () => {
  for (const child of started.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  rmSync(folder, { recursive: true, force: true })
})

const environment = { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, NO_COLOR: '1' }
const standalone = (...args: string[]) =>
  runProgram({ program: installed['spacetimedb-standalone'], args, environment })
const cli = (...args: string[]) => runProgram({ program: installed['spacetimedb-cli'], args, environment, folder })

/** A fixture as a file; its path. */
function module(name: string): string {
  const path = join(folder, name)
  writeFileSync(path, fixtureModule(name))
  return path
}

function startArguments(port: number): string[] {
  const data = join(folder, `data-${port}`)
  const keys = ['--jwt-pub-key-path', join(data, 'key.pub'), '--jwt-priv-key-path', join(data, 'key')]
  return [
    'start',
    '--listen-addr',
    `127.0.0.1:${port}`,
    '--data-dir',
    data,
    ...keys,
    '--non-interactive',
    '--in-memory'
  ]
}

/** The server's program on a free port; its URL. */
async function startServer(args = startArguments(0)): Promise<string> {
  const child = spawn(installed['spacetimedb-standalone'], args, {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit']
  })
  started.push(child)
  for await (const line of createInterface({ input: child.stdout })) {
    const [, address] = /listening on (\S+)/.exec(line) ?? []
    if (address !== undefined) return `http://${address}`
  }
  throw new Error('the server ended')
}

describe('spacetimedb-standalone', () => {
  test('says its version as the real one does', async () => {
    expect(await standalone('--version')).toMatchObject({
      exitCode: 0,
      stdout: 'spacetimedb spacetimedb tool version 2.8.3; spacetimedb-lib version 2.8.3;\n'
    })
  })

  test('serves, makes its keys, and ends when it is told to', async () => {
    const url = await startServer()
    expect((await fetch(`${url}/v1/ping`)).status).toBe(200)
    const key = readFileSync(join(folder, 'data-0/key'), 'utf8')
    expect(key).toContain('BEGIN PRIVATE KEY')
    const server = started[0] as ChildProcess
    server.kill('SIGTERM')
    expect(await once(server, 'exit')).toEqual([null, 'SIGTERM'])
    await startServer()
    expect(readFileSync(join(folder, 'data-0/key'), 'utf8')).toBe(key)
  })

  test('keeps databases on disk when it ends in order', async () => {
    const disk = (port: number) => startArguments(port).filter((part) => part !== '--in-memory')
    const first = await startServer(disk(0))
    const body = new Uint8Array(fixtureModule('counter.wasm'))
    expect((await fetch(`${first}/v1/database/kept`, { method: 'PUT', body })).status).toBe(200)
    const server = started.at(-1) as ChildProcess
    server.kill('SIGINT')
    expect(await once(server, 'exit')).toEqual([0, null])
    const call = await fetch(`${await startServer(disk(0))}/v1/database/kept/call/increment_counter`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '[1]'
    })
    expect(call.status).toBe(200)
  })

  test('ends when the port is taken', async () => {
    const { port } = new URL(await startServer())
    const ended = await standalone(...startArguments(Number(port)))
    expect(ended.exitCode).toBe(1)
    expect(ended.stderr).toBe(
      `Error: Port ${port} is already in use. Please free up the port or specify a different port with --listen-addr.\n`
    )
  })

  const wrong: [title: string, args: string[], exitCode: number, says: string][] = [
    ['an unknown flag', ['start', '--in-ram'], 2, "error: unexpected argument '--in-ram' found"],
    ['no data folder', ['start'], 2, '--data-dir <data_dir>'],
    ['no subcommand', [], 2, 'requires a subcommand'],
    ['an unknown subcommand', ['stop'], 2, "unrecognized subcommand 'stop'"],
    [
      'the default address, which others reach',
      startArguments(1).filter((part) => !/listen|127/.test(part)),
      1,
      'which has to be said'
    ]
  ]

  test.each(wrong)('refuses %s', async (_, args, exitCode, says) => {
    const ended = await standalone(...args)
    expect(ended.exitCode).toBe(exitCode)
    expect(ended.stderr).toContain(says)
  })

  test.each(['counter.wasm', 'counter.js'])('extracts the schema of %s', async (name) => {
    const { exitCode, stdout } = await standalone('extract-schema', module(name))
    expect(exitCode).toBe(0)
    const { V10 } = JSON.parse(stdout) as { V10: { sections: Record<string, unknown>[] } }
    expect(V10.sections.flatMap((section) => Object.keys(section))).toContain('Tables')
  })
})

describe('spacetimedb-cli', () => {
  let configuration = ''
  let url = ''
  const configured = (...args: string[]) => cli('--config-path', configuration, ...args)

  beforeAll(async () => {
    url = await startServer()
    const answer = await fetch(`${url}/v1/identity`, { method: 'POST' })
    const { token } = (await answer.json()) as { token: string }
    configuration = join(folder, 'cli.toml')
    const server = `nickname = "local"\nhost = "${new URL(url).host}"\nprotocol = "http"\n`
    writeFileSync(
      configuration,
      `default_server = "local"\nspacetimedb_token = "${token}"\n\n[[server_configs]]\n${server}`
    )
  })

  test('says its version in three lines', async () => {
    const { stdout } = await cli('--version')
    expect(stdout.split('\n')).toEqual([
      `spacetime Path: ${installed['spacetimedb-cli']}`,
      expect.stringMatching(/^Commit: [0-9a-f]{40}$/),
      'spacetimedb tool version 2.8.3; spacetimedb-lib version 2.8.3;',
      ''
    ])
  })

  test('makes a configuration, logs in to the server, and asks it in SQL', async () => {
    const path = join(folder, 'own/cli.toml')
    mkdirSync(join(folder, 'own'))
    const own = (...args: string[]) => cli('--config-path', path, ...args)
    expect((await own('login', 'show')).stdout).toContain('You are not logged in.')
    const { stdout } = await own('login', '--server-issued-login', url)
    const [, identity] = /^Logged in with identity (c200[0-9a-f]{60})$/m.exec(stdout) ?? []
    expect((await own('login', 'show')).stdout).toBe(`You are logged in as ${identity}\n`)
    const query = 'SELECT program_hash FROM st_module'
    const sql = (name: string) => own('sql', '--server', url, '--no-config', name, query)
    expect(await sql('own')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('failed to find database `own`.')
    })
    await own('publish', '-s', url, '--bin-path', module('counter.wasm'), 'own', '--no-config', '--yes=remote')
    expect((await sql('own')).stdout).toMatch(/^ program_hash +\n-+\n \d{70,78} +\n$/)
  })

  test('reads the login and the servers of cli.toml', async () => {
    expect((await configured('login', 'show')).stdout).toMatch(/^You are logged in as c200[0-9a-f]{60}\n$/)
    expect((await configured('server', 'ping', 'local')).stdout).toBe(`Server is online: ${url}\n`)
    expect(await configured('server', 'ping', 'other')).toMatchObject({
      exitCode: 1,
      stderr: 'Error: No such saved server configuration: other\n'
    })
  })

  const publish = (name: string, ...more: string[]) =>
    configured('publish', '-s', 'local', '--bin-path', module(name), 'game', '--no-config', ...more)

  test('publishes by HTTP, and stops before what breaks clients', async () => {
    const yes = '--yes=remote,migrate'
    expect((await publish('counter.wasm', yes)).stdout).toMatch(
      /^Created new database with name: game, identity: c200/m
    )
    expect((await publish('counter-additive.wasm', yes)).stdout).toMatch(/^Updated database with name: game/m)
    expect(await publish('counter-new-columns.wasm', yes)).toMatchObject({
      exitCode: 1,
      stderr: 'Error: Publishing aborted by user\n'
    })
    expect(await publish('counter-new-columns.wasm', '--yes=break-clients')).toMatchObject({ exitCode: 0 })
    expect((await publish('counter-column-type.wasm', yes)).stderr).toContain('would require manual migration')
    expect(await configured('call', 'game', 'increment_counter', '1', '--no-config')).toMatchObject({
      exitCode: 0,
      stdout: ''
    })
  })

  test.each([['--yes'], ['-y'], ['--yes=all']])('refuses to publish with %s', async (yes) => {
    expect(await publish('counter.wasm', yes)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('deleting data')
    })
  })

  const generate = (name: string, out: string) =>
    cli('generate', '--lang', 'typescript', '--out-dir', out, '--bin-path', module(name), '--no-config', '-y')

  test('generates files that follow the schema, and deletes those of removed tables', async () => {
    const first = await generate('counter-additive.wasm', 'bindings')
    expect(first.stdout).toContain('Writing file bindings/audit_table.ts\n')
    expect(first.stdout).toMatch(/Generate finished successfully\.\n$/)
    const index = readFileSync(join(folder, 'bindings/index.ts'), 'utf8')
    expect(index).toMatch(/^\/\/ This was generated using spacetimedb cli version 2\.8\.3 \(commit [0-9a-f]{40}\)\.$/m)
    writeFileSync(join(folder, 'bindings/own.ts'), 'export {}\n')
    expect((await generate('counter-additive.wasm', 'bindings')).stdout).not.toContain('Writing')
    expect((await generate('counter.wasm', 'bindings')).stdout).toContain('  bindings/audit_table.ts\n')
    expect(readdirSync(join(folder, 'bindings'))).not.toContain('audit_table.ts')
    expect(readdirSync(join(folder, 'bindings'))).toContain('own.ts')
  })

  test('needs the other program beside it to generate', async () => {
    const alone = join(folder, 'alone')
    mkdirSync(alone)
    cpSync(installed['spacetimedb-cli'], join(alone, 'spacetimedb-cli'))
    const args = ['generate', '--lang', 'rust', '--out-dir', 'out', '--bin-path', module('counter.wasm'), '--no-config']
    const ended = await runProgram({ program: join(alone, 'spacetimedb-cli'), args, environment, folder })
    expect(ended).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('could not extract schema') })
  })
})
