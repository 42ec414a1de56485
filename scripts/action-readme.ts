import { markdownTable } from 'markdown-table'
import { type ActionSpec, allowedValues, defaultText, type InputSpec } from '../src/action/spec.ts'

/**
 * A README with the tables that its action's spec makes, between `<!-- inputs -->` and `<!-- /inputs -->`, and so for
 * outputs and permissions; everything else is kept. Throws when a marker is missing.
 */
export function withTables(readme: string, spec: ActionSpec): string {
  const tables = { inputs: inputsTable(spec), outputs: outputsTable(spec), permissions: permissionsTable(spec) }
  return Object.entries(tables).reduce((text, [name, table]) => replaceBetween(text, name, table, spec), readme)
}

function replaceBetween(text: string, name: string, table: string, spec: ActionSpec): string {
  const [opening, closing] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [start, end] = [text.indexOf(opening), text.indexOf(closing)]
  if (start < 0 || end < start) {
    throw new Error(`actions/${spec.name}/README.md must have \`${opening}\` and, after it, \`${closing}\``)
  }
  return `${text.slice(0, start + opening.length)}\n${table}\n${text.slice(end)}`
}

function inputsTable(spec: ActionSpec): string {
  const rows = Object.entries<InputSpec>(spec.inputs).map(([name, input]) => [
    `\`${name}\``,
    input.description,
    allowedValues(input) ?? '',
    input.required ? '**required**' : defaultCell(input)
  ])
  return tableOf(['Input', 'What it is', 'Allowed', 'Default'], rows)
}

function defaultCell(input: InputSpec): string {
  const value = defaultText(input)
  return value === undefined ? '' : `\`${value}\``
}

function outputsTable(spec: ActionSpec): string {
  const rows = Object.entries(spec.outputs).map(([name, { description, values = [] }]) => [
    `\`${name}\``,
    [description, ...(values.length > 0 ? [`One of ${values.map((value) => `\`${value}\``).join(', ')}.`] : [])].join(
      ' '
    )
  ])
  return tableOf(['Output', 'What it is'], rows)
}

function permissionsTable(spec: ActionSpec): string {
  if (spec.permissions.length === 0) return 'None.'
  const rows = spec.permissions.map(({ name, access, when }) => [`\`${name}: ${access}\``, when])
  return tableOf(['Permission', 'When'], rows)
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|').replace(/\s*\n\s*/g, ' ')))
  return markdownTable([head, ...escaped], { alignDelimiters: false, padding: true })
}
