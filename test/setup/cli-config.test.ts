import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { wrapCli, writeCliConfig } from '../../src/setup/cli-config.ts'
import { temporaryFolders } from './folders.ts'

const makeFolder = temporaryFolders()

test('the configuration has the form that the CLI was seen to read, and is for this user alone', async () => {
  const folder = join(makeFolder(), 'own')
  const file = await writeCliConfig(folder, { url: 'http://127.0.0.1:3000', nickname: 'local', token: 'a"b' })
  expect(readFileSync(file, 'utf8')).toBe(`default_server = "local"
spacetimedb_token = "a\\"b"

[[server_configs]]
nickname = "local"
host = "127.0.0.1:3000"
protocol = "http"
`)
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('a server below a path keeps it', async () => {
  const file = await writeCliConfig(makeFolder(), { url: 'https://x.org/stdb', nickname: 'x.org', token: 't' })
  expect(readFileSync(file, 'utf8')).toContain('host = "x.org/stdb"\nprotocol = "https"')
})

describe.each(['plain', "it's a folder with $HOME and `x`"])('a script in %j', (name) => {
  const echo = () => {
    const folder = join(makeFolder(), name)
    mkdirSync(folder)
    const cli = join(folder, 'spacetimedb-cli')
    writeFileSync(cli, '#!/bin/sh\nfor each do printf "%s\\n" "$each"; done\n')
    chmodSync(cli, 0o755)
    return { folder, cli }
  }
  const run = (folder: string, ...args: string[]) =>
    execFileSync(join(folder, 'bin', 'spacetime'), args, { encoding: 'utf8' })
      .split('\n')
      .slice(0, -1)

  test('hands all arguments on, after the configuration', async () => {
    const { folder, cli } = echo()
    const config = join(folder, 'cli.toml')
    await wrapCli(join(folder, 'bin'), cli, config, false)
    expect(run(folder, 'call', 'my-game', 'say', '"a b"', '$x', '')).toEqual([
      ...['--config-path', config, 'call', 'my-game', 'say', '"a b"', '$x', '']
    ])
    expect(run(folder, '--config-path', 'other.toml', 'list')).toEqual(['--config-path', 'other.toml', 'list'])
  })

  test('adds nothing where there is no configuration', async () => {
    const { folder, cli } = echo()
    await wrapCli(join(folder, 'bin'), cli, undefined, false)
    expect(run(folder, '--version')).toEqual(['--version'])
  })
})

test('on Windows there is a script for each kind of shell', async () => {
  const folder = makeFolder()
  await wrapCli(folder, 'C:\\a%b\\spacetimedb-cli.exe', 'C:\\t\\cli.toml', true)
  expect(readFileSync(join(folder, 'spacetime.cmd'), 'utf8').split('\r\n')).toContain(
    '@"C:\\a%%b\\spacetimedb-cli.exe" --config-path "C:\\t\\cli.toml" %*'
  )
  expect(readFileSync(join(folder, 'spacetime'), 'utf8')).toContain('#!/bin/sh')
})
