import { describe, expect, test } from '@jest/globals'
import { driftOf, liveRelease, readHistory } from '../../../src/release/ledger/history.ts'
import type { LedgerEnding } from '../../../src/release/ledger/ledger.ts'
import type { ReleaseRecord } from '../../../src/release/ledger/record.ts'
import { MemoryLedger } from '../memory-ledger.ts'
import { ended, hashOf, place, recordOf } from './records.ts'

type Written = readonly [module: string, ending?: LedgerEnding, more?: Partial<ReleaseRecord>]

/** A history of releases, the oldest first; their ids count from 1. */
function historyOf(...releases: readonly Written[]) {
  const ledger = new MemoryLedger()
  for (const [module, ending, more] of releases) ledger.add(recordOf(module, more), ending)
  return readHistory(ledger, place)
}

const good = ended('updated')
const several = { databases: ['other', 'my-game'], database: 'other' }

describe('the live release', () => {
  const cases: [title: string, releases: Written[], id: number | undefined][] = [
    ['of an empty ledger is none', [], undefined],
    ['is the only one', [['a', good]], 1],
    [
      'is the newest of its module',
      [
        ['a', good],
        ['b', good],
        ['a', good]
      ],
      3
    ],
    [
      'is not one that was rolled back',
      [
        ['a', good],
        ['b', good],
        ['a', ended('rolled-back')]
      ],
      1
    ],
    [
      'is not one that has failed',
      [
        ['a', good],
        ['b', good],
        ['a', ended('failed')]
      ],
      1
    ],
    [
      'is one that was kept although unhealthy',
      [
        ['b', good],
        ['a', ended('unhealthy')]
      ],
      2
    ],
    [
      'is one whose end nobody has seen',
      [
        ['b', good],
        ['a', ended('unknown')]
      ],
      2
    ],
    [
      'is one that could not be taken back',
      [
        ['b', good],
        ['a', ended('rollback-failed')]
      ],
      2
    ],
    ['is one that nobody has ended', [['b', good], ['a']], 2],
    [
      'is a rollback',
      [
        ['a', good],
        ['b', good],
        ['a', ended('rolled-back'), { action: 'rollback', restores: 1 }]
      ],
      3
    ],
    [
      'is none when somebody has published by hand',
      [
        ['b', good],
        ['c', good]
      ],
      undefined
    ],
    ['is one of several databases', [['a', ended('failed', { without: [0] }), several]], 1],
    ['is not one that went to other databases', [['a', ended('failed', { without: [1] }), several]], undefined]
  ]
  test.each(cases)('%s', async (_, releases, id) => {
    const answer = await liveRelease(historyOf(...releases), hashOf('a'))
    expect(answer.kind === 'ok' ? answer.value?.id : answer).toBe(id)
  })
})

describe('drift', () => {
  const cases: [title: string, releases: Written[], drift: { expected: number; knownAs?: number } | undefined][] = [
    ['is none without a history', [], undefined],
    [
      'is none when the newest is live',
      [
        ['b', good],
        ['a', good]
      ],
      undefined
    ],
    [
      'is what somebody has published by hand',
      [
        ['b', good],
        ['c', good]
      ],
      { expected: 2 }
    ],
    [
      'tells an older release that is live again',
      [
        ['a', good],
        ['b', good]
      ],
      { expected: 2, knownAs: 1 }
    ],
    [
      'is none after releases that have changed nothing',
      [
        ['a', good],
        ['b', ended('failed')],
        ['c', ended('rolled-back')]
      ],
      undefined
    ],
    [
      'is seen behind releases that have changed nothing',
      [
        ['c', good],
        ['b', ended('failed')]
      ],
      { expected: 1 }
    ],
    ['is none when a release of the live module was cut off', [['b', good], ['a']], undefined],
    ['is none when a release of another one was cut off', [['a', good], ['b']], undefined],
    [
      'is none when it is not known how the live one ended',
      [
        ['b', good],
        ['a', ended('unknown')]
      ],
      undefined
    ],
    [
      'is there when an unhealthy one is gone that was kept',
      [
        ['a', good],
        ['b', ended('unhealthy')]
      ],
      { expected: 2, knownAs: 1 }
    ],
    [
      'is none when a release went to other databases',
      [
        ['a', good],
        ['b', ended('failed', { without: [1] }), several]
      ],
      undefined
    ],
    [
      'is none when nothing says whether it went here',
      [
        ['a', good],
        ['b', ended('failed'), several]
      ],
      undefined
    ]
  ]
  test.each(cases)('%s', async (_, releases, drift) => {
    const answer = await driftOf(historyOf(...releases), hashOf('a'))
    if (answer.kind === 'failed') throw new Error(answer.reason)
    const { value } = answer
    expect(value && { expected: value.expected.id, ...(value.knownAs && { knownAs: value.knownAs.id }) }).toEqual(drift)
  })
})

describe('a history', () => {
  test('ends with the creation of the database: before, another one had its name', async () => {
    const history = historyOf(['a', ended('created')], ['b', good], ['c', ended('created')], ['d', good])
    const ids: unknown[] = []
    for await (const answer of history.releases()) ids.push(answer.kind === 'ok' && answer.value.id)
    expect(ids).toEqual([4, 3])
    expect(await driftOf(history, hashOf('d'))).toEqual({ kind: 'ok', value: undefined })
  })

  test('that cannot be read is no drift', async () => {
    const ledger = new MemoryLedger()
    ledger.always.releases = 'forbidden'
    const history = readHistory(ledger, place)
    const failed = { kind: 'failed', isForbidden: true }
    expect(await driftOf(history, hashOf('a'))).toMatchObject(failed)
    expect(await liveRelease(history, hashOf('a'))).toMatchObject(failed)
  })
})
