import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigurationError } from '../errors.ts'
import type { BuildSecret } from './buildx.ts'
import type { Pair } from './pairs.ts'

/** Build secrets as they were given: the value itself, the name of a variable, the path of a file. */
export type GivenSecrets = {
  readonly values: readonly Pair[]
  readonly variables: readonly Pair[]
  readonly files: readonly Pair[]
}

/**
 * Build secrets for buildx. Values are written to files of a folder that nobody else can read, so that no argument holds
 * one. Throws a `ConfigurationError` for an id that is given twice or is none.
 */
export async function keepSecrets({ values, variables, files }: GivenSecrets, folder: string): Promise<BuildSecret[]> {
  const ids = [...values, ...variables, ...files].map(([id]) => id)
  insistOnIds(ids)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const [id, value] of values) await writeFile(join(folder, id), value, { mode: 0o600 })
  return [
    ...values.map(([id]) => ({ id, from: { file: join(folder, id) } })),
    ...variables.map(([id, name]) => ({ id, from: { env: name.trim() } })),
    ...files.map(([id, path]) => ({ id, from: { file: path.trim() } }))
  ]
}

function insistOnIds(ids: readonly string[]): void {
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice !== undefined) {
    throw new ConfigurationError(
      `The build secret \`${twice}\` is given twice. Give each once, as one of \`secrets\`, \`secret-envs\` and \`secret-files\`.`
    )
  }
  const wrong = ids.findIndex((id) => !/^[\w-][\w.-]*$/.test(id))
  if (wrong !== -1) {
    throw new ConfigurationError(
      'The id of a build secret (before the `=`) may have letters, digits, `_`, `.` and `-` alone: one of `secrets`, `secret-envs` or `secret-files` has others.'
    )
  }
}
