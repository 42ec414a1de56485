import type { Module } from '../module/module.ts'
import type { Pair } from './pairs.ts'

/** What the labels of an image say it was made of. */
export type Described = {
  readonly title: string | undefined
  readonly description?: string | undefined
  /** The repository's page. */
  readonly source: string | undefined
  readonly licenses?: string | undefined
  readonly commit: string | undefined
  /** The first of its tags. */
  readonly version: string | undefined
  /** In seconds since the epoch. */
  readonly created: number
  readonly module?:
    | {
        readonly hash: Module['hash']
        readonly kind: Module['kind']
        readonly bindingsVersion?: string | undefined
        readonly artifact?: string | undefined
      }
    | undefined
}

/** The hash of the module in an image. */
export const hashLabel = 'dev.spacetimedb.module.hash'

/** By digest: the artifact that holds the module of an image alone. */
export const artifactLabel = 'dev.spacetimedb.module.artifact'

/** Labels in their order: https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md, and the module's own. */
export function imageLabels(described: Described, own: readonly Pair[]): Pair[] {
  const { module } = described
  const usual: readonly (readonly [string, string | undefined])[] = [
    ['org.opencontainers.image.created', new Date(described.created * 1000).toISOString().replace('.000Z', 'Z')],
    ['org.opencontainers.image.title', described.title],
    ['org.opencontainers.image.description', described.description],
    ['org.opencontainers.image.url', described.source],
    ['org.opencontainers.image.source', described.source],
    ['org.opencontainers.image.revision', described.commit],
    ['org.opencontainers.image.version', described.version],
    ['org.opencontainers.image.licenses', described.licenses],
    [hashLabel, module?.hash],
    ['dev.spacetimedb.module.kind', module?.kind],
    ['dev.spacetimedb.module.bindings-version', module?.bindingsVersion],
    [artifactLabel, module?.artifact]
  ]
  const labels = new Map(usual.filter((pair): pair is Pair => Boolean(pair[1])))
  for (const [name, value] of own) labels.set(name, value)
  return [...labels]
}
