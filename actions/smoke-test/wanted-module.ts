import type { Environment } from '../../src/action/inputs.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { ConfigurationError } from '../../src/errors.ts'
import type { ModuleHash } from '../../src/module/hash.ts'
import { type GivenModule, givenModule } from '../given-module.ts'
import type { spec } from './spec.ts'

type SmokeInputs = Inputs<typeof spec>

/**
 * The module that the inputs name, from a file or from an artifact of this run, which is put into `folder`. Throws a
 * `ConfigurationError` when it is not there, is no module, or not the one of `module-hash`.
 */
export async function wantedModule(
  inputs: SmokeInputs,
  folder: string,
  environment: Environment
): Promise<GivenModule | undefined> {
  const wanted = await givenModule(inputs, folder, environment)
  const hash = givenHash(inputs)
  if (wanted && hash !== undefined && hash !== wanted.module.hash) {
    throw new ConfigurationError(
      `The module of ${inputs.artifact === undefined ? `\`module\` (${wanted.path})` : `\`artifact\` (${inputs.artifact})`} has the hash ${wanted.module.hash}, not ${hash} as \`module-hash\` says. Leave one of them out, or correct it.`
    )
  }
  return wanted
}

/** The hash that the inputs say has to be live. */
export function givenHash({ moduleHash }: SmokeInputs): ModuleHash | undefined {
  return moduleHash?.toLowerCase() as ModuleHash | undefined
}
