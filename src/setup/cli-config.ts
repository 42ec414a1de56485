import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'smol-toml'

/** The server and the token with which the CLI is to be logged in. */
export type CliLogin = {
  /** Without a trailing slash. */
  readonly url: string
  /** By which the CLI names the server. */
  readonly nickname: string
  readonly token: string
}

/**
 * Writes the CLI's configuration, readable for this user alone: the server is its default one, and it is logged in
 * there. Answers the file's path.
 */
export async function writeCliConfig(folder: string, { url, nickname, token }: CliLogin): Promise<string> {
  const { protocol, host, pathname } = new URL(url)
  const file = join(folder, 'cli.toml')
  const config = {
    default_server: nickname,
    spacetimedb_token: token,
    server_configs: [{ nickname, host: `${host}${pathname.replace(/\/+$/, '')}`, protocol: protocol.replace(/:$/, '') }]
  }
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeFile(file, stringify(config), { mode: 0o600, flag: 'wx' })
  return file
}

/**
 * Makes a folder for PATH in which `spacetime` is the CLI, with a configuration if one is given. The CLI reads neither
 * a token nor the path of its configuration from the environment, and `--root-dir` would move its data and keys too,
 * so a script adds `--config-path` (docs/setup-spacetimedb.md). Whoever gives that as the first argument is left alone.
 * Answers the path of the script that starts on this system.
 */
export async function wrapCli(
  folder: string,
  cli: string,
  config: string | undefined,
  isWindows: boolean
): Promise<string> {
  await mkdir(folder, { recursive: true })
  // On Windows too: bash, which steps there often run in, looks for no .cmd.
  const script = join(folder, 'spacetime')
  await writeFile(script, shellScript(cli, config), { mode: 0o755 })
  await chmod(script, 0o755)
  if (!isWindows) return script
  await writeFile(`${script}.cmd`, batchScript(cli, config))
  return `${script}.cmd`
}

function shellScript(cli: string, config: string | undefined): string {
  const plain = `exec ${quoted(cli)} "$@"\n`
  if (config === undefined) return `#!/bin/sh\n${plain}`
  return `#!/bin/sh
case "$1" in --config-path | --config-path=*) ${plain.trimEnd()} ;; esac
exec ${quoted(cli)} --config-path ${quoted(config)} "$@"
`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function batchScript(cli: string, config: string | undefined): string {
  const program = `"${cli.replaceAll('%', '%%')}"`
  const plain = `@${program} %*\r\n`
  if (config === undefined) return plain
  return `@if "%~1"=="--config-path" goto plain\r\n@${program} --config-path "${config.replaceAll('%', '%%')}" %*\r\n@exit /b %errorlevel%\r\n:plain\r\n${plain}`
}
