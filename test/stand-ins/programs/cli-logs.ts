import { Failure, readArguments, refused, UsageError } from './arguments.ts'
import { type Configuration, tokenOf } from './cli-configuration.ts'

const options = {
  server: { type: 'string', short: 's' },
  'num-lines': { type: 'string', short: 'n' },
  'no-config': { type: 'boolean' },
  yes: { type: 'boolean', short: 'y' }
} as const

/** `logs` as text, after crates/cli/src/subcommands/logs.rs; of a line the function and the file are left out. */
export async function logs(given: readonly string[], configuration: Configuration): Promise<void> {
  const { values, positionals } = readArguments(given, options, 'spacetime logs [OPTIONS] [database]')
  if (!values['no-config']) throw refused('it reads no spacetime.json: give --no-config')
  const [database] = positionals
  if (database === undefined) throw new UsageError('a database is required')
  const lines = values['num-lines'] === undefined ? '' : `num_lines=${values['num-lines']}&`
  const url = `${configuration.urlOf(values.server)}/v1/database/${database}/logs?${lines}follow=false`
  const answer = await fetch(url, { headers: { authorization: `Bearer ${tokenOf(configuration)}` } })
  const text = await answer.text()
  if (!answer.ok) throw new Failure(text)
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const { ts, level, message } = JSON.parse(line) as { ts: number; level: string; message: string }
    console.log(`${new Date(ts / 1000).toISOString()} ${level.toUpperCase().padStart(5)}: ${message}`)
  }
}
