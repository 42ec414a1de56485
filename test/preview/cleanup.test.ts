import { expect, test } from '@jest/globals'
import { type CleanupTools, cleanUp, type PullRequestState } from '../../src/preview/cleanup.ts'
import type { WrittenRelease } from '../../src/preview/other-use.ts'
import { previewOf } from '../../src/preview/preview.ts'
import { renderCleanup } from '../../src/preview/report.ts'
import { ServerFailure } from '../../src/spacetimedb/server.ts'
import { newName, wasm } from '../server/world.ts'
import { preparePreviews } from './stage.ts'

const stage = preparePreviews()
const hour = 3_600_000
const now = Date.parse('2026-11-25T12:00:00Z')

const open = (hoursAgo: number): PullRequestState => ({ kind: 'open', updated: now - hoursAgo * hour })
const closed: PullRequestState = { kind: 'closed' }

type Asked = {
  readonly prefix: string
  readonly pullRequests: Readonly<Record<number, PullRequestState>>
  readonly maxAge?: number
  readonly dryRun?: boolean
  readonly tools?: Partial<CleanupTools>
}

async function clean({ prefix, pullRequests, maxAge, dryRun = false, tools }: Asked) {
  const proof = stage.proof()
  const cleanup = await cleanUp(
    { prefix, maxAge, dryRun },
    {
      ...proof,
      clock: { ...proof.clock, now: () => now },
      pullRequest: async (number) => pullRequests[number] ?? { kind: 'missing', reason: `There is no #${number}.` },
      onEntry: () => {},
      cancelled: new AbortController().signal,
      ...tools
    }
  )
  const ends = Object.fromEntries(cleanup.entries.map(({ preview, outcome }) => [preview.number, outcome.kind]))
  return { ...cleanup, ends, markdown: renderCleanup(cleanup, prefix) }
}

/** Previews of one prefix. */
async function previews(...numbers: number[]): Promise<string> {
  const { prefix } = stage.newPreview()
  for (const number of numbers) {
    const { database } = previewOf(prefix, number)
    stage.made.push(database)
    await stage.owner.client.publishFirst(database, wasm('counter'))
  }
  return prefix
}

const isThere = async (prefix: string, number: number) =>
  (await stage.identityOf(previewOf(prefix, number).database)) !== undefined

test('those of closed pull requests go, and the rest of the server stays', async () => {
  const prefix = await previews(3, 4, 5, 6)
  const others = [await stage.create('counter'), `${prefix}-pr-3-copy`, `${prefix}-pr-03`]
  for (const name of others.slice(1)) {
    stage.made.push(name)
    await stage.owner.client.publishFirst(name, wasm('counter'))
  }
  const pullRequests = { 3: closed, 4: open(9999), 6: { kind: 'unknown', reason: 'No answer.' } } as const
  const { ends, markdown, unseen } = await clean({ prefix, pullRequests })
  expect(ends).toEqual({ 3: 'deleted', 4: 'kept', 5: 'refused', 6: 'failed' })
  expect(unseen).toEqual([])
  for (const [number, expected] of [
    [3, false],
    [4, true],
    [5, true],
    [6, true]
  ] as const) {
    expect(await isThere(prefix, number)).toBe(expected)
  }
  for (const name of others) expect(await stage.identityOf(name)).toBeDefined()
  expect(markdown).toContain('1 of 4 deleted')
  expect(markdown).toMatch(/There is no \S*#\S*5\. Nothing was deleted\./)
})

test('one that can not be deleted does not keep the others', async () => {
  const prefix = await previews(1, 2, 3)
  await stage.other.send('POST', `/database/${prefix}-pr-1/names`, { body: newName() })
  await stage.owner.client.lock(`${prefix}-pr-2`)
  const { ends } = await clean({ prefix, pullRequests: { 1: closed, 2: closed, 3: closed } })
  expect(ends).toEqual({ 1: 'refused', 2: 'refused', 3: 'deleted' })
  await stage.owner.client.unlock(`${prefix}-pr-2`)
})

test("production with a stranger's name for it stays, whatever became of that pull request", async () => {
  const prefix = await previews(1)
  const production = await stage.create('counter')
  await stage.other.send('POST', `/database/${production}/names`, { body: `${prefix}-pr-2` })
  const { ends } = await clean({ prefix, pullRequests: { 1: closed, 2: closed } })
  expect(ends).toEqual({ 1: 'deleted', 2: 'refused' })
  expect(await stage.identityOf(production)).toBeDefined()
})

test("somebody else's previews are not looked at", async () => {
  const { prefix, database } = stage.newPreview()
  stage.made.push(database)
  await stage.other.client.publishFirst(database, wasm('counter'))
  const { entries } = await clean({ prefix, pullRequests: { 7: closed } })
  expect(entries).toEqual([])
})

test('those of open pull requests go when nothing happened for too long, there or here', async () => {
  const prefix = await previews(1, 2, 3)
  const releases: WrittenRelease[] = [3, 1].map((number) => ({
    environment: 'previews',
    begun: now - (number === 3 ? 1 : 80) * hour,
    record: { action: 'preview', server: stage.url, database: `${prefix}-pr-${number}` }
  }))
  const { releases: read } = stage.proof(releases)
  const asked = {
    prefix,
    maxAge: 72 * hour,
    pullRequests: { 1: open(73), 2: open(71), 3: open(90) },
    tools: { releases: read }
  }
  const planned = await clean({ ...asked, dryRun: true })
  expect(planned.ends).toEqual({ 1: 'planned', 2: 'kept', 3: 'kept' })
  expect(planned.markdown).toContain('1 would be deleted: a dry run')
  expect(await isThere(prefix, 1)).toBe(true)
  const done = await clean(asked)
  expect(done.ends).toEqual({ 1: 'deleted', 2: 'kept', 3: 'kept' })
  expect(done.markdown).toContain('nothing happened since 2026-11-22T11:00:00.000Z, which is longer ago than 72h')
  expect((await clean({ ...asked, maxAge: 24 * hour })).ends).toEqual({ 2: 'deleted', 3: 'kept' })
})

test('a database whose names can not be had is told, and the others are looked at', async () => {
  const prefix = await previews(1, 2)
  const own = stage.owner.client
  const hidden = await stage.identityOf(`${prefix}-pr-1`)
  const namesOf = (database: string) =>
    database === hidden ? Promise.reject(new ServerFailure('server-error', 'Out of order.')) : own.namesOf(database)
  const { ends, unseen, markdown } = await clean({
    prefix,
    pullRequests: { 1: closed, 2: closed },
    tools: { server: { ...own, namesOf } }
  })
  expect(ends).toEqual({ 2: 'deleted' })
  expect(unseen).toEqual([{ identity: hidden, reason: 'Out of order.' }])
  expect(markdown).toMatch(/names of 1 databases could not be asked for/)
})

test('it ends when the job is cancelled', async () => {
  const prefix = await previews(1, 2)
  const job = new AbortController()
  const { ends, isCancelled } = await clean({
    prefix,
    pullRequests: { 1: closed, 2: closed },
    tools: { cancelled: job.signal, onEntry: () => job.abort() }
  })
  expect(ends).toEqual({ 1: 'deleted' })
  expect(isCancelled).toBe(true)
  expect(await isThere(prefix, 2)).toBe(true)
})
