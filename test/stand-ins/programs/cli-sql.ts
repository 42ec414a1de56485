import { Failure, readArguments, refused, UsageError } from './arguments.ts'
import { type Configuration, tokenOf } from './cli-configuration.ts'

const options = {
  server: { type: 'string', short: 's' },
  'no-config': { type: 'boolean' },
  yes: { type: 'boolean', short: 'y' }
} as const

type Statement = {
  readonly schema: { readonly elements: readonly { readonly name: { readonly some?: string } }[] }
  readonly rows: readonly (readonly unknown[])[]
}

/**
 * `sql` of one statement, after crates/cli/src/subcommands/sql.rs: a table as psql prints it. Of values it knows numbers
 * only, which it writes in decimals, the server's hexadecimal ones too.
 */
export async function sql(args: readonly string[], configuration: Configuration): Promise<void> {
  console.error('WARNING: This command is UNSTABLE and subject to breaking changes.\n')
  const { values, positionals } = readArguments(args, options, 'spacetime sql [DATABASE] <QUERY>')
  if (!values['no-config']) throw refused('it reads no spacetime.json: give --no-config')
  const [database, query, more] = positionals
  if (database === undefined || query === undefined || more !== undefined) {
    throw new UsageError('a database and a query are required')
  }
  const url = configuration.urlOf(values.server)
  const named = await fetch(`${url}/v1/database/${database}/identity`)
  if (named.status === 404) throw new Failure(`failed to find database \`${database}\`.`)
  const answer = await fetch(`${url}/v1/database/${await named.text()}/sql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokenOf(configuration)}` },
    body: query
  })
  if (!answer.ok) throw new Failure(`${await answer.text()}\n\nCaused by:\n    HTTP status ${answer.status}`)
  const [statement] = (await answer.json()) as Statement[]
  if (statement !== undefined) console.log(table(statement))
}

function table({ schema, rows }: Statement): string {
  const header = schema.elements.map(({ name }, index) => name.some ?? `column ${index}`)
  const cells = rows.map((row) => row.map(decimal))
  const widths = header.map((name, column) =>
    Math.max(...[header, ...cells].map((row) => row[column]?.length ?? 0), name.length)
  )
  const line = (row: readonly string[]) => row.map((cell, column) => ` ${cell.padEnd(widths[column] ?? 0)} `).join('|')
  return [line(header), widths.map((width) => '-'.repeat(width + 2)).join('+'), ...cells.map(line)].join('\n')
}

function decimal(value: unknown): string {
  const [number] = Array.isArray(value) ? value : [value]
  if (typeof number === 'number' || typeof number === 'string') return BigInt(number).toString()
  throw refused(`it prints numbers only, and not ${JSON.stringify(value)}`)
}
