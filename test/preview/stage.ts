import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from '@jest/globals'
import { systemClock } from '../../src/clock.ts'
import { describeOnce } from '../../src/module/describe-once.ts'
import type { WrittenRelease } from '../../src/preview/other-use.ts'
import { type Preview, previewOf } from '../../src/preview/preview.ts'
import type { Proof } from '../../src/preview/standing.ts'
import { type PreviewRequest, type PreviewTools, type PreviewUpdate, updatePreview } from '../../src/preview/update.ts'
import { parseSeed } from '../../src/rehearsal/seed-file.ts'
import { connect } from '../../src/spacetimedb/client.ts'
import type { Identity } from '../../src/spacetimedb/identity.ts'
import { prepareWorld, type User, type World, wasm } from '../server/world.ts'

/** A server with previews on it, and what else may be there. */
export type PreviewStage = World & {
  /** A preview of a prefix of its own, of which there is none yet. */
  newPreview(): Preview
  /** One that is there. */
  madePreview(module?: string): Promise<{ readonly preview: Preview; readonly identity: Identity }>
  /** By what the owner proves it, where nothing is written down, or this. */
  proof(releases?: readonly WrittenRelease[], user?: User): Proof & { readonly clock: typeof systemClock }
  identityOf(database: string): Promise<Identity | undefined>
  update(preview: Preview, module: string, more?: UpdateOptions): Promise<Updated>
}

export type UpdateOptions = Partial<Omit<PreviewRequest, 'seed'>> & {
  /** YAML. */
  readonly seed?: string
  readonly tools?: Partial<PreviewTools>
}

export type Updated = PreviewUpdate & {
  /** What was remembered for a post step, one after the other. */
  readonly unfilledStates: readonly boolean[]
}

export function preparePreviews(): PreviewStage {
  const world = prepareWorld()
  const folder = mkdtempSync(join(tmpdir(), 'preview-'))
  const describe = describeOnce()
  afterAll(() => rmSync(folder, { recursive: true }))
  const newPreview = () => previewOf(`game-${crypto.randomUUID().slice(0, 8)}`, 7)
  const identityOf = async (database: string) => {
    const found = await world.owner.client.resolve(database)
    return found.kind === 'exists' ? found.identity : undefined
  }
  const stage: Omit<PreviewStage, keyof World> = {
    newPreview,
    identityOf,
    madePreview: async (module = 'counter') => {
      const preview = newPreview()
      world.made.push(preview.database)
      const made = await world.owner.client.publishFirst(preview.database, wasm(module))
      if (made.kind !== 'published') throw new Error(made.kind)
      return { preview, identity: made.identity }
    },
    proof: (releases, user = world.owner) => ({
      server: user.client,
      identity: user.identity,
      clock: systemClock,
      releases: async () => (releases === undefined ? { kind: 'none' } : { kind: 'read', releases })
    }),
    update: async (preview, module, { seed, tools, ...request } = {}) => {
      world.made.push(preview.database)
      const unfilledStates: boolean[] = []
      const update = await updatePreview(
        {
          preview,
          module: wasm(module),
          modulePath: 'module.wasm',
          healthCheck: { kind: 'auto' },
          healthTimeout: 10_000,
          dryRun: false,
          remaking: 'needed',
          seed: seed === undefined ? undefined : parseSeed(new TextEncoder().encode(seed), 'seed.yml'),
          ...request
        },
        {
          ...stage.proof(),
          anonymous: connect({ url: world.url }),
          describe,
          narrator: { begin: () => {}, end: () => {}, tell: () => {}, warn: () => {} },
          folder,
          origin: {},
          remember: () => {},
          rememberUnfilled: (isUnfilled) => unfilledStates.push(isUnfilled),
          cancelled: new AbortController().signal,
          ...tools
        }
      )
      return { ...update, unfilledStates }
    }
  }
  return Object.defineProperties(stage, Object.getOwnPropertyDescriptors(world)) as PreviewStage
}
