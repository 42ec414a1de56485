import { describe, expect, test } from '@jest/globals'
import type { LedgerEnding } from '../../../src/release/ledger/ledger.ts'
import type { ReleaseRecord } from '../../../src/release/ledger/record.ts'
import { chooseModule, type From, placeIn } from '../../../src/release/promote/from.ts'
import { MemoryLedger } from '../memory-ledger.ts'
import { type Fault, modelServer, moduleOf } from '../model-server.ts'

const [one, two] = [moduleOf('one'), moduleOf('two')]

const place = { server: 'http://127.0.0.1:3000', database: 'staging-game' }

function recordOf(module: typeof one, more: Partial<ReleaseRecord> = {}): ReleaseRecord {
  return { version: 1, action: 'deploy', ...place, moduleHash: module.hash, commit: 'c0ffee1', ...more }
}

const checked: LedgerEnding = { result: 'updated', isChecked: true }
const unchecked: LedgerEnding = { result: 'updated', isChecked: false }
const rolledBack: LedgerEnding = { result: 'rolled-back', isChecked: false }

type Case = {
  readonly title: string
  readonly live?: typeof one
  /** The oldest first. */
  readonly releases: readonly (readonly [typeof one, LedgerEnding | undefined])[] | 'no ledger' | 'forbidden'
  readonly wanted?: typeof one
  readonly faults?: readonly Fault[]
  readonly allowUnchecked?: boolean
  readonly chosen?: { readonly hash: string; readonly isLive: boolean; readonly id?: number; readonly warns?: RegExp }
  readonly refused?: RegExp
}

const cases: readonly Case[] = [
  {
    title: 'what is live and passed its checks',
    live: two,
    releases: [
      [one, checked],
      [two, checked]
    ],
    chosen: { hash: two.hash, isLive: true, id: 2 }
  },
  {
    title: 'what is live and passed them in an earlier release',
    live: one,
    releases: [
      [one, checked],
      [one, unchecked]
    ],
    chosen: { hash: one.hash, isLive: true, id: 1 }
  },
  {
    title: 'not what is live without having been checked',
    live: one,
    releases: [[one, unchecked]],
    refused: /release 1 there ended well, but nothing was checked.*`allow-unchecked: true`/
  },
  {
    title: 'what is live without having been checked when that is allowed, with a warning',
    live: one,
    releases: [[one, unchecked]],
    allowUnchecked: true,
    chosen: { hash: one.hash, isLive: true, id: 1, warns: /nothing was checked/ }
  },
  {
    title: 'not what somebody published past the ledger',
    live: two,
    releases: [[one, checked]],
    refused: /no release of it in environment `staging`.*by hand/
  },
  {
    title: 'not what failed there since it passed',
    live: one,
    releases: [
      [one, checked],
      [one, { result: 'unhealthy', isChecked: false }]
    ],
    refused: /newest release there, 2, ended badly \(unhealthy\)/
  },
  {
    title: 'what passed although a release of it was begun and has not ended',
    live: one,
    releases: [
      [one, checked],
      [one, undefined]
    ],
    chosen: { hash: one.hash, isLive: true, id: 1 }
  },
  {
    title: 'nothing without a ledger',
    live: one,
    releases: 'no ledger',
    refused: /no ledger of releases.*`deployments: read`/
  },
  {
    title: 'what is live without a ledger when it may be unchecked',
    live: one,
    releases: 'no ledger',
    allowUnchecked: true,
    chosen: { hash: one.hash, isLive: true, warns: /no ledger/ }
  },
  {
    title: 'nothing when the ledger can not be read',
    live: one,
    releases: 'forbidden',
    refused: /could not be read: .*`deployments: write`/
  },
  {
    title: 'what the ledger says where nobody answers',
    releases: [
      [one, checked],
      [two, rolledBack]
    ],
    faults: ['unreachable'],
    chosen: { hash: one.hash, isLive: false, id: 1 }
  },
  {
    title: 'what the ledger says of an unchecked one where nobody answers, when that is allowed',
    releases: [[one, unchecked]],
    faults: ['unreachable'],
    allowUnchecked: true,
    chosen: { hash: one.hash, isLive: false, id: 1, warns: /nothing was checked/ }
  },
  {
    title: 'nothing where there is no database and no release',
    releases: [],
    refused: /no database "staging-game".*no release of it/
  },
  {
    title: 'the only one that may be, while it runs',
    live: two,
    releases: [[two, checked]],
    wanted: two,
    chosen: { hash: two.hash, isLive: true, id: 1 }
  },
  {
    title: 'the only one that may be, when another took its place',
    live: two,
    releases: [
      [one, checked],
      [two, checked]
    ],
    wanted: one,
    chosen: { hash: one.hash, isLive: false, id: 1 }
  },
  {
    title: 'not the only one that may be, when it never was there, whatever is allowed',
    live: two,
    releases: [[two, checked]],
    wanted: one,
    allowUnchecked: true,
    refused: new RegExp(`${one.hash} does not run in "staging-game".*Live there is ${two.hash}`)
  }
]

describe('what is promoted is', () => {
  test.each(cases)('$title', async ({ live, releases, wanted, faults = [], allowUnchecked = false, ...expected }) => {
    const model = modelServer(live && { live })
    model.faults.live.push(...faults)
    const ledger = new MemoryLedger('staging')
    if (releases === 'forbidden') ledger.always.releases = 'forbidden'
    else if (releases !== 'no ledger') for (const [module, ending] of releases) ledger.add(recordOf(module), ending)
    const from: From = {
      server: model.server,
      database: place.database,
      ledger: releases === 'no ledger' ? undefined : ledger,
      wanted: wanted?.hash,
      allowUnchecked
    }
    const choice = await chooseModule(from)
    if (choice.kind === 'refused') {
      expect(choice.reason).toMatch(expected.refused ?? /refused although it was to be chosen/)
      return
    }
    const { hash, isLive, release, warning } = choice
    const { warns, ...chosen } = expected.chosen ?? { hash: 'to be refused' }
    expect({ hash, isLive, ...(release && { id: release.id }) }).toEqual(chosen)
    if (warns) expect(warning).toMatch(warns)
    else expect(warning).toBeUndefined()
  })
})

describe('the database of an environment', () => {
  test('is the one that its releases are of', async () => {
    const ledger = new MemoryLedger('staging')
    ledger.add(recordOf(one), checked)
    ledger.add(recordOf(two), rolledBack)
    expect(await placeIn(ledger)).toEqual({ kind: 'place', place })
  })

  test('has to be named when there are several', async () => {
    const ledger = new MemoryLedger('staging')
    ledger.add(recordOf(one), checked)
    ledger.add(recordOf(one, { databases: ['staging-game', 'staging-lobby'] }), checked)
    const found = await placeIn(ledger)
    expect(found).toMatchObject({ kind: 'none' })
    expect(found).toHaveProperty('reason', expect.stringMatching(/"staging-game" on .*, "staging-lobby" on/))
  })

  test.each([
    ['without any release', undefined, /no release in environment `staging`/],
    ['of a ledger that can not be read', 'failed', /could not be read: GitHub answered 502/]
  ] as const)('%s is not known', async (_, fault, says) => {
    const ledger = new MemoryLedger('staging')
    if (fault) ledger.always.releases = fault
    expect(await placeIn(ledger)).toHaveProperty('reason', expect.stringMatching(says))
  })
})
