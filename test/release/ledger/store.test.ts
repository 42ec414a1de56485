import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Clock } from '../../../src/clock.ts'
import { gitHubApi } from '../../../src/github/api.ts'
import { gitHubDeployments } from '../../../src/github/deployments.ts'
import { driftOf, readHistory } from '../../../src/release/ledger/history.ts'
import type { Ledger, LedgerEnding, LedgerPlace, RecordedRelease } from '../../../src/release/ledger/ledger.ts'
import type { ReleaseRecord } from '../../../src/release/ledger/record.ts'
import { deploymentsLedger } from '../../../src/release/ledger/store.ts'
import { findTarget, previousOf } from '../../../src/release/ledger/target.ts'
import { type GitHubApi, startGitHubApi } from '../../stand-ins/github/api.ts'
import { initialCommit, type Permissions } from '../../stand-ins/github/state.ts'
import { ended, hashOf, place, recordOf } from './records.ts'

let server: GitHubApi

beforeEach(async () => {
  server = await startGitHubApi()
})

afterEach(() => server.close())

const repository = 'octocat/game'
const run = 'https://github.com/octocat/game/actions/runs/7'
const clock: Clock = { now: Date.now, random: () => 0, sleep: async () => {} }

function ledgerOf({ permissions = { deployments: 'write' } as Permissions, environment = 'my-game' } = {}): Ledger {
  const token = server.issueToken(permissions)
  const api = gitHubApi({ url: server.url, token, version: '0', clock, timeout: 2_000 })
  const deployments = gitHubDeployments({ api, repository, task: 'stdb-actions', clock })
  return deploymentsLedger({ deployments, environment, commit: initialCommit, run })
}

/** Writes a release down as an action does. Throws when it can't be. */
async function write(record: ReleaseRecord, ending?: LedgerEnding, ledger = ledgerOf()): Promise<number> {
  const begun = await ledger.begin(record)
  if (begun.kind === 'failed') throw new Error(begun.reason)
  const over = ending ? await ledger.end(begun.value.id, ending) : undefined
  if (over?.kind === 'failed') throw new Error(over.reason)
  return begun.value.id
}

async function releasesIn(ledger: Ledger, of: LedgerPlace = place): Promise<RecordedRelease[]> {
  const releases: RecordedRelease[] = []
  for await (const answer of ledger.releases(of)) {
    if (answer.kind === 'failed') throw new Error(answer.reason)
    releases.push(answer.value)
  }
  return releases
}

const kept = () => server.state.deployments
const statusRequests = () => server.requests.filter(({ method, path }) => method === 'GET' && /statuses/.test(path))

describe('a release', () => {
  const record = recordOf('a', { run, actor: 'mona', commit: initialCommit, moduleKind: 'wasm', size: 5 })

  test('is written down as people see it on GitHub', async () => {
    await write(record, ended('updated', { isChecked: true, note: 'All is well.' }))
    const urls = { logUrl: run, environmentUrl: 'https://stdb.example.org/v1/database/my-game' }
    expect(kept()).toMatchObject([
      {
        task: 'stdb-actions',
        environment: 'my-game',
        ref: initialCommit,
        description: 'deploy 610000000000 to my-game',
        payload: record,
        statuses: [
          { state: 'in_progress', ...urls },
          { state: 'success', description: 'updated, checked: All is well.', ...urls }
        ]
      }
    ])
  })

  test('is read back', async () => {
    const id = await write(record, ended('updated', { isChecked: true, note: 'All is well.' }))
    const [release, ...others] = await releasesIn(ledgerOf())
    expect(others).toEqual([])
    expect(release).toEqual({
      id,
      record,
      begun: expect.any(Number),
      ended: expect.any(Number),
      by: 'github-actions[bot]',
      url: run,
      state: 'good',
      result: 'updated',
      isChecked: true
    })
  })

  const endings: [action: ReleaseRecord['action'], result: LedgerEnding['result'], status: string, state: string][] = [
    ['deploy', 'created', 'success', 'good'],
    ['adopt', 'unchanged', 'success', 'good'],
    ['deploy', 'rolled-back', 'failure', 'bad'],
    ['rollback', 'rolled-back', 'success', 'good'],
    ['deploy', 'unhealthy', 'failure', 'bad'],
    ['deploy', 'failed', 'failure', 'bad'],
    ['deploy', 'unknown', 'error', 'bad']
  ]
  test.each(endings)('%s that ends as %s is a %s', async (action, result, status, state) => {
    const id = await write({ ...record, action }, undefined)
    // By another step: nothing of it is known there.
    expect(await ledgerOf().end(id, ended(result))).toEqual({ kind: 'ok', value: undefined })
    expect(kept()[0]?.statuses.at(-1)?.state).toBe(status)
    expect(await releasesIn(ledgerOf())).toMatchObject([{ state, result }])
  })

  test('is open until its end is written down', async () => {
    await write(record)
    expect(await releasesIn(ledgerOf())).toMatchObject([{ state: 'open', isChecked: false }])
  })

  test('stays what it was when another has taken its place, and when other tools deploy', async () => {
    const ledger = ledgerOf()
    const id = await write(record, ended('updated'), ledger)
    await ledger.retire(id)
    const statuses = kept()[0]?.statuses
    expect(statuses?.map(({ state }) => state)).toEqual(['in_progress', 'success', 'inactive'])
    expect(await releasesIn(ledgerOf())).toMatchObject([{ state: 'good', result: 'updated' }])
  })

  test('stays what it was when its beginning arrives late', async () => {
    await write(record, ended('updated'))
    const statuses = kept()[0]?.statuses ?? []
    statuses.push({ ...statuses[0], id: server.state.newId() } as never)
    expect(await releasesIn(ledgerOf())).toMatchObject([{ state: 'good', result: 'updated' }])
  })

  test('is retired once', async () => {
    const id = await write(record, ended('updated'))
    await ledgerOf().retire(id)
    const ledger = ledgerOf()
    await releasesIn(ledger)
    await ledger.retire(id)
    expect(kept()[0]?.statuses).toHaveLength(3)
  })

  test('of a commit that GitHub does not know stands on that of the run', async () => {
    await write(recordOf('a', { commit: 'f'.repeat(40) }), ended('updated'))
    expect(kept()).toMatchObject([{ ref: initialCommit, payload: { commit: 'f'.repeat(40) } }])
  })

  test('of no known commit stands on that of the run', async () => {
    await write(recordOf('a'), ended('updated'))
    expect(kept()).toMatchObject([{ ref: initialCommit }])
  })

  test('with a very long reason is cut there', async () => {
    const reason = 'ü"\n'.repeat(20_000)
    await write(recordOf('a', { reason, planDigest: 'd'.repeat(64) }), ended('updated'))
    const [release] = await releasesIn(ledgerOf())
    const bytes = Buffer.byteLength(JSON.stringify(release?.record))
    expect(bytes).toBeLessThanOrEqual(8000)
    expect(bytes).toBeGreaterThan(7980)
    expect(release?.record.reason).toMatch(/^ü"\nü"\n.*…$/s)
    expect(release?.record.planDigest).toBe('d'.repeat(64))
  })

  test('of several databases is found for each', async () => {
    const databases = ['one', 'two', 'three']
    await write(recordOf('a', { action: 'promote', databases, database: 'one' }), ended('failed', { without: [1] }))
    const states = []
    for (const database of [...databases, 'four']) {
      states.push((await releasesIn(ledgerOf(), { ...place, database })).map(({ state }) => state))
    }
    expect(states).toEqual([['good'], ['bad'], ['good'], []])
  })
})

describe('what is no record of ours', () => {
  test.each<[title: string, payload: unknown]>([
    ['nothing', ''],
    ['a text', 'deploy it'],
    ['something else', { version: 1, web: true }],
    ['a record of another shape', { ...recordOf('a'), version: 2 }],
    ['a hash that is none', { ...recordOf('a'), moduleHash: 'abc' }]
  ])('is passed over: %s', async (_, payload) => {
    await write(recordOf('a'), ended('updated'))
    await write(recordOf('b'), ended('updated'))
    kept().splice(0, 1, { ...kept()[0], payload } as never)
    expect(await releasesIn(ledgerOf())).toMatchObject([{ record: { moduleHash: hashOf('b') } }])
  })

  test('a record that comes back as a text is read all the same', async () => {
    await write(recordOf('a'), ended('updated'))
    kept().splice(0, 1, { ...kept()[0], payload: JSON.stringify(recordOf('a')) } as never)
    expect(await releasesIn(ledgerOf())).toMatchObject([{ state: 'good' }])
  })

  test.each<[state: string, description: string, read: object]>([
    ['success', 'Looks good to me', { state: 'good' }],
    ['success', 'failed: no', { state: 'good' }],
    ['failure', 'updated, checked', { state: 'bad', isChecked: false }],
    ['error', '', { state: 'bad', result: 'unknown' }],
    ['queued', 'updated', { state: 'open' }]
  ])('a status that somebody has added: %s %j', async (state, description, read) => {
    await write(recordOf('a'))
    const statuses = kept()[0]?.statuses ?? []
    statuses.push({ ...statuses[0], id: server.state.newId(), state, description } as never)
    expect(await releasesIn(ledgerOf())).toMatchObject([read])
  })

  test('another environment, database or server', async () => {
    await write(recordOf('a'), ended('updated'), ledgerOf({ environment: 'other' }))
    await write(recordOf('a', { database: 'other' }), ended('updated'))
    await write(recordOf('a', { server: 'https://other.example.org' }), ended('updated'))
    expect(await releasesIn(ledgerOf())).toEqual([])
    expect(statusRequests()).toEqual([])
  })
})

describe('requests', () => {
  /** Releases of modules m0, m1, …, the oldest first, with all but the first written straight into GitHub's state. */
  async function addReleases(count: number): Promise<number[]> {
    await write(recordOf('m0'), ended('updated'))
    const [first] = kept()
    if (first === undefined) throw new Error('nothing was written')
    for (let index = 1; index < count; index += 1) {
      const statuses = first.statuses.map((status) => ({ ...status, id: server.state.newId() }))
      kept().push({ ...first, id: server.state.newId(), payload: recordOf(`m${index}`), statuses })
    }
    server.requests.length = 0
    return kept().map(({ id }) => id)
  }

  test('are few: the list, and the statuses of what is looked at', async () => {
    const ids = await addReleases(50)
    const history = readHistory(ledgerOf(), place)
    expect(await driftOf(history, hashOf('m49'))).toEqual({ kind: 'ok', value: undefined })
    expect(server.requests).toHaveLength(2)
    expect(await previousOf(history, hashOf('m49'))).toMatchObject({ kind: 'found', release: { id: ids[48] } })
    expect(server.requests).toHaveLength(3)
    expect(await findTarget(history, hashOf('m2'), hashOf('m49'))).toMatchObject({ release: { id: ids[2] } })
    expect(server.requests).toHaveLength(4)
  })

  test('are repeated for the next page, and none when all was read', async () => {
    const ids = await addReleases(250)
    const ledger = ledgerOf()
    const search = () => findTarget(readHistory(ledger, place), String(ids[0]), hashOf('m249'))
    expect(await search()).toMatchObject({ kind: 'found', release: { id: ids[0] } })
    expect(server.requests).toHaveLength(4)
    expect(await search()).toMatchObject({ kind: 'found' })
    expect(server.requests).toHaveLength(4)
  })

  test('are shared by many databases that are read at the same time', async () => {
    const databases = Array.from({ length: 40 }, (_, index) => `game-${index}`)
    await write(recordOf('a', { action: 'promote', databases, database: 'game-0' }), ended('updated'))
    server.requests.length = 0
    const ledger = ledgerOf()
    const all = await Promise.all(databases.map((database) => releasesIn(ledger, { ...place, database })))
    expect(all.every((releases) => releases[0]?.state === 'good')).toBe(true)
    expect(server.requests).toHaveLength(2)
  })

  test('are made anew when it has to be fresh, and after something was written', async () => {
    const ledger = ledgerOf()
    await write(recordOf('a'), ended('updated'), ledger)
    expect(await releasesIn(ledger)).toHaveLength(1)
    await write(recordOf('b'), ended('updated'))
    expect(await releasesIn(ledger)).toHaveLength(1)
    const fresh = readHistory(ledger, place, { isFresh: true })
    expect(await driftOf(fresh, hashOf('b'))).toEqual({ kind: 'ok', value: undefined })
    await write(recordOf('c'), ended('updated'), ledger)
    expect(await releasesIn(ledger)).toMatchObject([{ state: 'good' }, { state: 'good' }, { state: 'good' }])
  })

  test('that failed are not remembered', async () => {
    await write(recordOf('a'), ended('updated'))
    const ledger = ledgerOf()
    for (const path of [/deployments\?/, /statuses/]) {
      const fault = { kind: 'answer', status: 403, body: '{"message":"rate limit exceeded"}', headers: {} } as const
      server.faults.push({ path, times: 1, fault })
      expect(await driftOf(readHistory(ledger, place), hashOf('a'))).toMatchObject({ kind: 'failed' })
    }
    expect(await driftOf(readHistory(ledger, place), hashOf('a'))).toEqual({ kind: 'ok', value: undefined })
  })
})

describe('without permission', () => {
  test('to write, it says what the job needs', async () => {
    const ledger = ledgerOf({ permissions: { deployments: 'read' } })
    const refused = { kind: 'failed', isForbidden: true, reason: expect.stringMatching(/deployments: write/) }
    const id = await write(recordOf('a'))
    expect(await ledger.begin(recordOf('a'))).toMatchObject(refused)
    expect(await ledger.end(id, ended('updated'))).toMatchObject(refused)
    expect(await ledger.retire(id)).toMatchObject(refused)
    expect(await releasesIn(ledger)).toMatchObject([{ id, state: 'open' }])
  })

  test('to read, it says what the job needs', async () => {
    const ledger = ledgerOf({ permissions: { contents: 'read' } })
    const refused = { kind: 'failed', isForbidden: true, reason: expect.stringMatching(/deployments: read/) }
    expect(await findTarget(readHistory(ledger, place), 'previous', hashOf('a'))).toMatchObject(refused)
  })

  test('the end of what is not there is told', async () => {
    expect(await ledgerOf().end(99, ended('updated'))).toMatchObject({ kind: 'failed' })
  })
})
