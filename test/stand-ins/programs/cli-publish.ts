import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { Failure, readArguments, refused, UsageError } from './arguments.ts'
import { buildToPublish } from './cli-build.ts'
import { type Configuration, tokenOf } from './cli-configuration.ts'

const options = {
  server: { type: 'string', short: 's' },
  'bin-path': { type: 'string', short: 'b' },
  'module-path': { type: 'string', short: 'p' },
  'js-path': { type: 'string', short: 'j' },
  'break-clients': { type: 'boolean', default: false },
  'no-config': { type: 'boolean' },
  yes: { type: 'string', short: 'y', multiple: true, default: [] as string[] }
} as const

const yesValues = ['all', 'remote', 'migrate', 'break-clients', 'skip-login', 'delete-data']

type Plan =
  | {
      readonly AutoMigrate: {
        migrate_plan: string
        break_clients: boolean
        token: string
        major_version_upgrade: boolean
      }
    }
  | { readonly ManualMigrate: { reason: string; major_version_upgrade: boolean } }

type Publishing = {
  readonly url: string
  readonly name: string
  readonly token: string
  readonly hostType: 'Wasm' | 'Js'
  readonly bytes: Uint8Array<ArrayBuffer>
}

/**
 * `publish` of a compiled module or a project, after crates/cli/src/subcommands/publish.rs. It refuses a `--yes` that means yes to
 * everything, and never deletes data.
 */
export async function publish(args: readonly string[], configuration: Configuration): Promise<void> {
  if (args.includes('--yes') || args.includes('-y')) {
    throw refused('it takes no bare --yes, which means yes to deleting data too: give --yes=remote,migrate')
  }
  const { values, positionals } = readArguments(args, options, 'spacetime publish [OPTIONS] [name|identity]')
  const yes = yesOf(values.yes)
  if (!values['no-config']) throw refused('it reads no spacetime.json: give --no-config')
  const [name] = positionals
  if (name === undefined) throw refused('it publishes nothing without a name')
  const path = await moduleToPublish(values)
  const url = configuration.urlOf(values.server)
  const hostType = extname(path) === '.js' ? 'Js' : 'Wasm'
  const publishing: Publishing = { url, name, token: tokenOf(configuration), hostType, bytes: readModule(path) }
  if (!isLocal(url)) {
    console.log(`You are about to publish to a non-local server: ${new URL(url).hostname}`)
    if (!confirmed(yes.has('remote'), 'Are you sure you want to proceed?'))
      throw new Failure('Publish aborted by user.')
  }
  console.log(`Uploading to ${values.server ?? '<default>'} => ${url}`)
  const query = await planned(publishing, yes, values['break-clients'] || yes.has('break-clients'))
  console.log('Publishing module...')
  await put(publishing, query)
}

/** The one that is given, or that is built now. */
async function moduleToPublish(
  values: Partial<Record<'bin-path' | 'js-path' | 'module-path', string>>
): Promise<string> {
  const { 'bin-path': wasm, 'js-path': js, 'module-path': project } = values
  const given = wasm ?? js
  if (given === undefined && project === undefined) throw refused('it looks for no project: give --module-path')
  if (given === undefined) return buildToPublish(project ?? '')
  console.log(`(${wasm === undefined ? 'JS' : 'WASM'}) Skipping build. Instead we are publishing ${given}`)
  return given
}

function yesOf(given: readonly string[]): Set<string> {
  const values = given.flatMap((list) => list.split(','))
  const unknown = values.find((value) => !yesValues.includes(value))
  if (unknown === undefined && !values.includes('all')) return new Set(values)
  if (unknown === undefined) throw refused('it takes no --yes=all, which means yes to deleting data too')
  throw new UsageError(`invalid value '${unknown}' for '--yes[=<yes>]'\n  [possible values: ${yesValues.join(', ')}]`)
}

function isLocal(url: string): boolean {
  return ['localhost', '127.0.0.1'].includes(new URL(url).hostname)
}

/** Nobody can be asked: without a yes the answer is no. */
function confirmed(yes: boolean, prompt: string): boolean {
  console.log(yes ? 'Skipping confirmation due to --yes' : `${prompt} [y/N]`)
  return yes
}

/** What the plan adds to the publish's query; nothing for a database that is not there. */
async function planned(
  publishing: Publishing,
  yes: Set<string>,
  breakClients: boolean
): Promise<Record<string, string>> {
  console.log('Checking for breaking changes...')
  const style = process.env.NO_COLOR === undefined ? 'AnsiColor' : 'NoColor'
  const answer = await ask(publishing, 'POST', '/pre_publish', { pretty_print_style: style })
  if (answer.status === 404) return {}
  if (!answer.ok) {
    throw new Failure(`Pre-publish check failed with status ${statusOf(answer)}: ${await answer.text()}`)
  }
  const plan = (await answer.json()) as Plan
  const { major_version_upgrade: isUpgrade } = 'AutoMigrate' in plan ? plan.AutoMigrate : plan.ManualMigrate
  if (isUpgrade && !yes.has('migrate')) throw new Failure('Aborting because major version upgrade was not accepted.')
  if ('ManualMigrate' in plan) {
    console.log(plan.ManualMigrate.reason)
    console.log('Aborting publish due to required manual migration.')
    throw new Failure(
      'Aborting because publishing would require manual migration or deletion of data and --delete-data was not specified.'
    )
  }
  const { migrate_plan, break_clients, token } = plan.AutoMigrate
  console.log(migrate_plan)
  const question = 'The above changes will BREAK existing clients. Do you want to proceed?'
  if (break_clients && !confirmed(breakClients, question)) {
    console.log('Aborting')
    throw new Failure('Publishing aborted by user')
  }
  return { token, policy: 'BreakClients' }
}

async function put(publishing: Publishing, query: Readonly<Record<string, string>>): Promise<void> {
  const answer = await ask(publishing, 'PUT', '', query)
  if (!answer.ok) {
    const kind = answer.status < 500 ? 'client' : 'server'
    throw new Failure(
      `${await answer.text()}\n\nCaused by:\n    HTTP status ${kind} error (${statusOf(answer)}) for url (${answer.url})`
    )
  }
  const { Success } = (await answer.json()) as { Success: { domain?: unknown; database_identity: unknown; op: string } }
  const done = Success.op === 'created' ? 'Created new' : 'Updated'
  const identity = JSON.stringify(Success.database_identity).match(/[0-9a-f]{64}/)?.[0]
  console.log(`${done} database with name: ${publishing.name}, identity: ${identity}`)
}

function ask(
  { url, name, token, hostType, bytes }: Publishing,
  method: string,
  path: string,
  query: Readonly<Record<string, string>>
): Promise<Response> {
  const parameters = new URLSearchParams({ ...query, host_type: hostType })
  return fetch(`${url}/v1/database/${encodeURIComponent(name)}${path}?${parameters}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    body: bytes
  })
}

function statusOf({ status, statusText }: Response): string {
  return `${status} ${statusText}`
}

function readModule(path: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(path))
  } catch {
    throw new Failure(`failed to open file \`${path}\`: No such file or directory (os error 2)`)
  }
}
