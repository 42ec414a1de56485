import { inputsAndState, withoutVariables } from '../src/action/hidden-variables.ts'
import type { Environment } from '../src/action/inputs.ts'
import { ConfigurationError } from '../src/errors.ts'

/**
 * Downloads an artifact that this run has kept into a folder. `input` is the name of the input that asks for it. Throws a
 * `ConfigurationError` when there is none.
 */
export async function downloadRunArtifact(
  { name, input }: { readonly name: string; readonly input: string },
  folder: string,
  environment: Environment
): Promise<void> {
  const { gitHubArtifacts } = await import('../src/github/artifacts.ts')
  const artifacts = gitHubArtifacts({ environment })
  const found = await withoutVariables(inputsAndState, async () => {
    const search = await artifacts.find(name)
    if (search.kind === 'not-found')
      throw new ConfigurationError(`This run has kept no artifact \`${name}\` (\`${input}\`).`)
    return search.kind === 'found' ? artifacts.download(search.artifact, folder) : search
  })
  if (found.kind === 'failed') throw new Error(`The artifact \`${name}\` could not be had: ${found.reason}`)
}
