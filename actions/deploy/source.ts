import { join } from 'node:path'
import type { Environment } from '../../src/action/inputs.ts'
import { loadModule } from '../../src/module/load.ts'
import type { ReleaseNotes } from '../../src/release/ledger/record.ts'
import type { GivenModule } from '../given-module.ts'
import { type ReleasingStep, stepFolder } from '../releasing.ts'

/** The module to deploy, and what is known of it. */
export type Source = GivenModule & {
  readonly kind: 'module'
  /** For the ledger. */
  readonly notes: Partial<ReleaseNotes>
  /** What is to be said of it in the summary, as Markdown. */
  readonly report?: string | undefined
}

/** No module came of it: the error of the step. */
export type NoSource = { readonly kind: 'none'; readonly failure: { readonly title: string; readonly message: string } }

export type SourceInputs = {
  readonly path: string | undefined
  readonly module: string | undefined
  readonly artifact: string | undefined
  readonly fromImage: string | undefined
  readonly environment: string | undefined
  readonly cache: boolean
  readonly rehearse: 'live' | 'none'
  readonly publishImage: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly githubToken: string | undefined
}

/**
 * The module that the inputs name: a file, an artifact of this run, what a registry has, else what is built of the project for
 * that database. Throws a `ConfigurationError` when it is not there or no
 * module.
 */
export async function sourceOf(
  inputs: SourceInputs,
  database: string,
  step: ReleasingStep
): Promise<Source | NoSource> {
  const { module: path, artifact, fromImage } = inputs
  const isDescribed = inputs.rehearse === 'live' || inputs.publishImage !== undefined
  if (path !== undefined && !isDescribed) {
    return { kind: 'module', module: await loadModule(path), path, manifest: undefined, notes: {} }
  }
  if (path !== undefined || artifact !== undefined) return givenSource(inputs, step.environment)
  // What builds and what fetches is code that a deploy of a file does without.
  if (fromImage !== undefined) {
    const { fetchFromImage } = await import('./from-image.ts')
    return fetchFromImage(fromImage, inputs, step)
  }
  const { buildSource } = await import('./building.ts')
  return buildSource(inputs, database, step)
}

async function givenSource({ module, artifact }: SourceInputs, environment: Environment): Promise<Source> {
  const { givenModule } = await import('../given-module.ts')
  const given = await givenModule({ module, artifact }, join(stepFolder(environment), 'module'), environment)
  if (given === undefined) throw new Error('no module was given')
  return { kind: 'module', ...given, notes: artifact === undefined ? {} : { artifact: { name: artifact } } }
}
