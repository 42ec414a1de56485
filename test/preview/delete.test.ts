import { describe, expect, test } from '@jest/globals'
import { type Deletion, deletePreview } from '../../src/preview/delete.ts'
import type { WrittenRelease } from '../../src/preview/other-use.ts'
import { type Preview, previewOf } from '../../src/preview/preview.ts'
import type { Proof } from '../../src/preview/standing.ts'
import type { Identity } from '../../src/spacetimedb/identity.ts'
import { type Server, ServerFailure } from '../../src/spacetimedb/server.ts'
import { modelClock } from '../release/model-server.ts'
import { newName, wasm } from '../server/world.ts'
import { preparePreviews } from './stage.ts'

const stage = preparePreviews()

const remove = (preview: Preview, proof: Partial<Proof> = {}, options?: { dryRun: boolean }) =>
  deletePreview(preview, { ...stage.proof(), ...proof }, options)

/** The owner's client, with some of it done otherwise. Counts what was asked to be deleted. */
function spied(change: (server: Server) => Partial<Server> = () => ({})) {
  const deletions: string[] = []
  const own = stage.owner.client
  const counted: Server = {
    ...own,
    delete: (database) => {
      deletions.push(database)
      return own.delete(database)
    }
  }
  return { server: { ...counted, ...change(counted) }, deletions }
}

describe('a preview', () => {
  test('is deleted by its identity, and nothing else is', async () => {
    const [first, second] = [await stage.madePreview(), await stage.madePreview()]
    const production = await stage.create('counter')
    const { server, deletions } = spied()
    expect(await remove(first.preview, { server })).toEqual({ kind: 'deleted', identity: first.identity })
    expect(deletions).toEqual([first.identity])
    expect(await stage.identityOf(first.preview.database)).toBeUndefined()
    expect(await stage.identityOf(second.preview.database)).toBe(second.identity)
    expect(await stage.identityOf(production)).toBeDefined()
    expect(await remove(first.preview, { server })).toEqual({ kind: 'absent' })
    expect(deletions).toHaveLength(1)
  })

  test('is left in a dry run', async () => {
    const { preview, identity } = await stage.madePreview()
    expect(await remove(preview, {}, { dryRun: true })).toEqual({ kind: 'planned', identity })
    expect(await stage.identityOf(preview.database)).toBe(identity)
  })

  test('that was never there is absent', async () => {
    expect(await remove(stage.newPreview())).toEqual({ kind: 'absent' })
  })
})

type Refused = {
  readonly preview: Preview
  readonly proof?: Partial<Proof>
  readonly says: RegExp
  /** How often the server was asked all the same. */
  readonly asked?: number
}

const deployed = (preview: Preview, record: object = {}): WrittenRelease => ({
  environment: 'production',
  begun: Date.parse('2026-11-01T00:00:00Z'),
  record: { action: 'deploy', server: stage.url, database: preview.database, ...record }
})

describe('anything else is refused, and stays', () => {
  test.each<[string, () => Promise<Refused>]>([
    [
      "somebody else's database under that name",
      async () => {
        const preview = stage.newPreview()
        stage.made.push(preview.database)
        await stage.other.client.publishFirst(preview.database, wasm('counter'))
        return { preview, says: /belongs to identity \w{64}, and this job is/ }
      }
    ],
    [
      'production that a stranger gave the name of a preview',
      async () => {
        const [preview, production] = [stage.newPreview(), await stage.create('counter')]
        await stage.other.send('POST', `/database/${production}/names`, { body: preview.database })
        return { preview, says: new RegExp(`has other names too: "${production}"`) }
      }
    ],
    [
      'a preview that has a second name, be it that of another preview',
      async () => {
        const { preview } = await stage.madePreview()
        const body = previewOf(preview.prefix, 8).database
        await stage.other.send('POST', `/database/${preview.database}/names`, { body })
        return { preview, says: /-pr-8"/ }
      }
    ],
    [
      'a database that a deploy has published to',
      async () => {
        const { preview } = await stage.madePreview()
        const { releases } = stage.proof([deployed(preview)])
        return {
          preview,
          proof: { releases },
          says: /on 2026-11-01T00:00:00.000Z it was released by `deploy`, in the environment "production"/
        }
      }
    ],
    [
      'a database without a name of its own, which the ledger knows by its identity',
      async () => {
        const preview = stage.newPreview()
        const answer = await stage.owner.send('POST', '/database', { body: wasm('counter').bytes })
        const identity = JSON.parse(answer.text).Success.database_identity as Identity
        await stage.other.send('POST', `/database/${identity}/names`, { body: preview.database })
        const { releases } = stage.proof([deployed(preview, { database: identity, server: 'https://x.example' })])
        return { preview, proof: { releases }, says: /released by `deploy`/ }
      }
    ],
    [
      'a name that leads elsewhere a moment later',
      async () => {
        const [{ preview }, production] = [await stage.madePreview(), await stage.create('counter')]
        const elsewhere = await stage.owner.client.resolve(production)
        let asked = 0
        const { server } = spied((own) => ({
          resolve: (name) => (++asked === 1 ? own.resolve(name) : Promise.resolve(elsewhere))
        }))
        return { preview, proof: { server }, says: /led to another database a moment later/ }
      }
    ],
    [
      'a name that was given to another database while the ledger was read',
      async () => {
        const [{ preview }, { preview: other }] = [await stage.madePreview(), await stage.madePreview()]
        const elsewhere = await stage.owner.client.resolve(other.database)
        let isMoved = false
        const { server } = spied((own) => ({
          resolve: (name) => (isMoved ? Promise.resolve(elsewhere) : own.resolve(name)),
          namesOf: async () => [preview.database]
        }))
        const releases = async () => {
          isMoved = true
          return { kind: 'none' } as const
        }
        return { preview, proof: { server, releases }, says: /led to another database a moment later/ }
      }
    ],
    [
      'a locked one',
      async () => {
        const { preview } = await stage.madePreview()
        await stage.owner.client.lock(preview.database)
        return { preview, says: /is locked, so it was not deleted.*spacetime unlock/, asked: 1 }
      }
    ]
  ])('%s', async (_name, prepare) => {
    const { preview, proof, says, asked = 0 } = await prepare()
    const before = await stage.identityOf(preview.database)
    expect(before).toBeDefined()
    const { server, deletions } = spied()
    const deletion = await remove(preview, { server, ...proof })
    expect(deletion).toEqual({ kind: 'refused', reason: expect.stringMatching(says) })
    expect(await stage.identityOf(preview.database)).toBe(before)
    expect(deletions).toHaveLength(asked)
    await stage.owner.client.unlock(preview.database).catch(() => {})
  })

  test('a made-up preview with a foreign name never gets to the server', async () => {
    const production = await stage.create('counter')
    await expect(remove({ prefix: 'game', number: 7, database: production })).rejects.toThrow(
      'not the name of a preview'
    )
    expect(await stage.identityOf(production)).toBeDefined()
  })

  test('nothing is deleted while the ledger gives no answer', async () => {
    const { preview, identity } = await stage.madePreview()
    const releases = async () => ({ kind: 'unknown', reason: 'GitHub takes no more requests.' }) as const
    expect(await remove(preview, { releases })).toEqual({
      kind: 'failed',
      isUnknown: false,
      reason: expect.stringMatching(/ledger of releases: GitHub takes no more requests. Nothing was deleted/)
    })
    expect(await stage.identityOf(preview.database)).toBe(identity)
  })
})

describe('what became of it is looked at', () => {
  const lost = new ServerFailure('interrupted', 'The connection broke.')
  const answering = (outcome: (own: Server, database: Identity) => ReturnType<Server['delete']>) =>
    spied((own) => ({ delete: (database) => outcome(own, database) })).server

  test.each<[string, Parameters<typeof answering>[0], Partial<Deletion>, boolean]>([
    [
      'the answer is lost after it was done',
      async (own, database) => {
        await own.delete(database)
        return { kind: 'uncertain', failure: lost }
      },
      { kind: 'deleted' },
      false
    ],
    [
      'the answer is lost, and it was not done',
      async () => ({ kind: 'uncertain', failure: lost }),
      { kind: 'failed', reason: 'The connection broke. It is still there.' },
      true
    ],
    [
      'nothing was sent',
      async () => ({ kind: 'not-sent', failure: lost }),
      { kind: 'failed', reason: 'Nothing was deleted. The connection broke.' },
      true
    ],
    [
      'the server refuses',
      async () => {
        throw new ServerFailure('forbidden', 'Not allowed.', 403)
      },
      { kind: 'failed', reason: 'Nothing was deleted. Not allowed.' },
      true
    ]
  ])('%s', async (_name, outcome, expected, isThere) => {
    const { preview, identity } = await stage.madePreview()
    expect(await remove(preview, { server: answering(outcome) })).toMatchObject(expected)
    expect(await stage.identityOf(preview.database)).toBe(isThere ? identity : undefined)
  })

  test('a server that is gone afterwards leaves it open', async () => {
    const { preview } = await stage.madePreview()
    let isGone = false
    const { server } = spied((own) => ({
      delete: async () => {
        isGone = true
        return { kind: 'uncertain', failure: lost }
      },
      resolve: (name) =>
        isGone ? Promise.reject(new ServerFailure('unreachable', 'Nobody answers.')) : own.resolve(name)
    }))
    const deletion = await deletePreview(preview, { ...stage.proof(), server, clock: modelClock() })
    expect(deletion).toEqual({
      kind: 'failed',
      isUnknown: true,
      reason: 'The connection broke. Whether it is still there is not known. Nobody answers.'
    })
  })

  test('a server that can not be asked before is a failure', async () => {
    const { server } = spied(() => ({
      resolve: () => Promise.reject(new ServerFailure('unreachable', 'Nobody answers.'))
    }))
    expect(await remove(previewOf(newName(), 1), { server })).toMatchObject({
      kind: 'failed',
      reason: 'Nobody answers. Nothing was deleted.'
    })
  })
})
