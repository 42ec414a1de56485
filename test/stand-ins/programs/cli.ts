import { Failure, readArguments, refused, runToEnd, UsageError } from './arguments.ts'
import { commit, version } from './baked.ts'
import { build } from './cli-build.ts'
import { type Configuration, logIn, readConfiguration, showLogin, tokenOf } from './cli-configuration.ts'
import { generate } from './cli-generate.ts'
import { logs } from './cli-logs.ts'
import { publish } from './cli-publish.ts'
import { sql } from './cli-sql.ts'

/**
 * A stand-in for `spacetimedb-cli`, which says and does what the real one was seen to say and do: `--version`, `login`,
 * `build`, `generate`, `publish`, `call`, `sql`, `logs`, `server ping`. What else the real one can do it refuses by name.
 */
async function main(): Promise<void> {
  const { command, args, configPath } = split(process.argv.slice(2))
  const configuration = () => readConfiguration(configPath)
  switch (command) {
    case '--version':
      return console.log(`spacetime Path: ${process.argv[1]}\nCommit: ${commit}\n${toolVersion}`)
    case '-V':
      return console.log(`spacetime ${version}`)
    case 'build':
      return build(args)
    case 'generate':
      return generate(args)
    case 'login':
      return args.join(' ') === 'show' ? showLogin(configuration()) : logIn(args, configPath)
    case 'publish':
      return publish(args, configuration())
    case 'call':
      return call(args, configuration())
    case 'sql':
      return sql(args, configuration())
    case 'logs':
      return logs(args, configuration())
    case 'server':
      return ping(args, configuration())
    case undefined:
      throw new UsageError("'spacetime' requires a subcommand but one was not provided")
    default:
      throw command.startsWith('-')
        ? new UsageError(`unexpected argument '${command}' found\n\nUsage: spacetime [OPTIONS] <COMMAND>`)
        : refused(`it has no subcommand ${command}`)
  }
}

const toolVersion = `spacetimedb tool version ${version}; spacetimedb-lib version ${version};`

type Split = { readonly command: string | undefined; readonly args: string[]; readonly configPath: string | undefined }

/** The flags before the subcommand, and what comes after it. */
function split([first, second, ...rest]: readonly string[]): Split {
  const [, name, value] = /^--(config-path|root-dir)(?:=(.*))?$/s.exec(first ?? '') ?? []
  if (name === undefined) return { command: first, args: [second ?? [], rest].flat(), configPath: undefined }
  const after = split(value === undefined ? rest : [second ?? [], rest].flat())
  return { ...after, configPath: name === 'config-path' ? (value ?? second) : after.configPath }
}

const callOptions = {
  server: { type: 'string', short: 's' },
  'no-config': { type: 'boolean' },
  yes: { type: 'boolean', short: 'y' }
} as const

/** `call`: arguments are sent as they are, which have to be JSON; the real one puts quotes around strings. */
async function call(given: readonly string[], configuration: Configuration): Promise<void> {
  console.error('WARNING: This command is UNSTABLE and subject to breaking changes.\n')
  const { values, positionals } = readArguments(
    given,
    callOptions,
    'spacetime call [DATABASE] <FUNCTION_NAME> [ARGUMENTS...]'
  )
  if (!values['no-config']) throw refused('it reads no spacetime.json: give --no-config')
  const [database, name, ...args] = positionals
  if (database === undefined || name === undefined) throw new UsageError('a database and a function name are required')
  const answer = await fetch(`${configuration.urlOf(values.server)}/v1/database/${database}/call/${name}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokenOf(configuration)}`, 'content-type': 'application/json' },
    body: `[${args.join(', ')}]`
  })
  const text = await answer.text()
  if (!answer.ok) throw new Failure(`Response text: ${text}\n\nCaused by:\n    HTTP status ${answer.status}`)
  if (text !== '') console.log(text)
}

/** `server ping`. */
async function ping([command, ...args]: readonly string[], configuration: Configuration): Promise<void> {
  if (command !== 'ping') throw refused(`it has no subcommand server ${command ?? ''}`)
  const { positionals } = readArguments(args, {}, 'spacetime server ping <SERVER>')
  if (positionals[0] === undefined)
    throw new UsageError('the following required arguments were not provided:\n  <server>')
  const url = configuration.urlOf(positionals[0])
  const answer = await fetch(`${url}/v1/ping`)
  if (answer.ok) console.log(`Server is online: ${url}`)
  else if (answer.status === 404) console.log(`Server returned 404 (Not Found): ${url}`)
  else console.log(`Server could not be reached (${answer.status} ${answer.statusText}): ${url}`)
}

void runToEnd(main)
