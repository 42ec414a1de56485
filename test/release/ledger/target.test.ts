import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readHistory } from '../../../src/release/ledger/history.ts'
import type { LedgerEnding } from '../../../src/release/ledger/ledger.ts'
import type { ReleaseRecord } from '../../../src/release/ledger/record.ts'
import { findTarget, previousOf } from '../../../src/release/ledger/target.ts'
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
const back = (restores: number): Partial<ReleaseRecord> => ({ action: 'rollback', restores })
const rolledBack = ended('rolled-back')

/** The id of what was found, or what else came of it. */
async function idOf(search: ReturnType<typeof findTarget>) {
  const found = await search
  return found.kind === 'found' ? found.release.id : found.kind
}

describe('previous', () => {
  const cases: [title: string, releases: Written[], live: string, target: number | string][] = [
    ['of an empty ledger is none', [], 'a', 'none'],
    ['of the first release is none', [['a', good]], 'a', 'none'],
    [
      'is the one before',
      [
        ['a', good],
        ['b', good]
      ],
      'b',
      1
    ],
    [
      'is not one that was rolled back, failed or kept unhealthy',
      [
        ['a', good],
        ['b', rolledBack],
        ['c', ended('failed')],
        ['d', ended('unhealthy')],
        ['e', good]
      ],
      'e',
      1
    ],
    [
      'is not the same module, released again',
      [
        ['a', good],
        ['b', good],
        ['b', good]
      ],
      'b',
      1
    ],
    ['is not one that was cut off', [['a', good], ['b'], ['c', good]], 'c', 1],
    [
      'of a kept unhealthy one is the one before',
      [
        ['a', good],
        ['b', ended('unhealthy')]
      ],
      'b',
      1
    ],
    ['of one that was cut off is the one before', [['a', good], ['b']], 'b', 1],
    [
      'after a rollback is one further back',
      [
        ['a', good],
        ['b', good],
        ['c', good],
        ['b', rolledBack, back(2)]
      ],
      'b',
      1
    ],
    [
      'after two rollbacks is none',
      [
        ['a', good],
        ['b', good],
        ['a', good, back(1)]
      ],
      'a',
      'none'
    ],
    [
      'after a rollback and a release is what was rolled back to',
      [
        ['a', good],
        ['b', good],
        ['a', good, back(1)],
        ['c', good]
      ],
      'c',
      3
    ],
    [
      'through rollbacks of rollbacks is the one before the first',
      [
        ['a', good],
        ['b', good],
        ['c', good],
        ['b', good, back(2)],
        ['d', good],
        ['b', good, back(4)]
      ],
      'b',
      1
    ],
    [
      'of what somebody published by hand is the newest',
      [
        ['a', good],
        ['b', good]
      ],
      'c',
      2
    ],
    [
      'of an old module that somebody published is the one before that',
      [
        ['a', good],
        ['b', good],
        ['c', good]
      ],
      'b',
      1
    ],
    [
      'of a rollback to a release that is not kept any more is older than that',
      [
        ['a', good],
        ['x', good],
        ['b', good, back(2)]
      ],
      'b',
      1
    ],
    [
      'is refused where nothing says whether the database got the release before',
      [
        ['a', good],
        ['b', ended('failed'), { databases: ['other', 'my-game'] }],
        ['c', good]
      ],
      'c',
      'ambiguous'
    ],
    [
      'is found before one of which nothing says so',
      [
        ['a', ended('failed'), { databases: ['other', 'my-game'] }],
        ['b', good],
        ['c', good]
      ],
      'c',
      2
    ],
    [
      'of a release that claims to restore a newer one is the one before',
      [
        ['a', good],
        ['b', good, back(7)]
      ],
      'b',
      1
    ]
  ]
  test.each(cases)('%s', async (_, releases, live, target) => {
    expect(await idOf(previousOf(historyOf(...releases), hashOf(live)))).toBe(target)
    expect(await idOf(findTarget(historyOf(...releases), 'previous', hashOf(live)))).toBe(target)
  })

  test('is none when nothing is live', async () => {
    expect(await idOf(findTarget(historyOf(['a', good]), 'previous', undefined))).toBe('none')
  })

  test('says which database, environment and release it is about', async () => {
    const none = await previousOf(historyOf(['a', good]), hashOf('a'))
    expect(none).toMatchObject({ reason: expect.stringContaining('`my-game` (environment `production`)') })
    expect(none).toMatchObject({ reason: expect.stringContaining('(1)') })
  })
})

/** What may happen to a database. A release of what is live is none. */
const happenings = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('release' as const), module: fc.nat({ max: 5 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('bad' as const),
        module: fc.nat({ max: 5 }),
        result: fc.constantFrom('failed' as const, 'rolled-back' as const, 'refused' as const)
      })
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('rollback' as const) }) }
  ),
  { maxLength: 60 }
)

test('rolling back any number of times goes back as many releases, whatever happened before', async () => {
  await fc.assert(
    fc.asyncProperty(happenings, async (all) => {
      const ledger = new MemoryLedger()
      /** What one would see when nobody had ever rolled back: the live module is on top. */
      const stack: string[] = []
      for (const happening of all) {
        if (happening.kind === 'rollback') await rollBack(ledger, stack)
        else {
          const module = `m${happening.module}`
          if (module === stack.at(-1)) continue
          ledger.add(recordOf(module), ended(happening.kind === 'bad' ? happening.result : 'updated'))
          if (happening.kind === 'release') stack.push(module)
        }
      }
      while (stack.length > 1) await rollBack(ledger, stack)
      await rollBack(ledger, stack)
    })
  )
})

async function rollBack(ledger: MemoryLedger, stack: string[]) {
  const live = stack.at(-1)
  if (live === undefined) return
  const before = stack.at(-2)
  const search = await previousOf(readHistory(ledger, place), hashOf(live))
  if (before === undefined) {
    expect(search.kind).toBe('none')
    return
  }
  if (search.kind !== 'found') throw new Error(`${search.kind}, not ${before}`)
  expect(search.release.record.moduleHash).toBe(hashOf(before))
  stack.pop()
  ledger.add(recordOf(before, back(search.release.id)), rolledBack)
}

const commit = 'c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00'
const otherCommit = 'c0ffee1111111111111111111111111111111111'

describe('a target that is named', () => {
  const releases: Written[] = [
    ['j', good, { commit, ref: 'refs/tags/v1.0.0' }],
    ['b', rolledBack, { commit: otherCommit, ref: 'refs/heads/main' }],
    ['c', good, { commit: '12345678'.padEnd(40, '9') }],
    ['j', good, { commit, ref: 'refs/heads/main' }],
    ['d', good, { commit, ref: 'refs/tags/v2' }]
  ]
  const cases: [to: string, target: number | string][] = [
    ['1', 1],
    ['2', 2],
    ['5', 5],
    ['6', 'none'],
    [hashOf('j'), 4],
    [hashOf('j').toUpperCase(), 4],
    [hashOf('d'), 5],
    [hashOf('b'), 'none'],
    [hashOf('z'), 'none'],
    [commit, 'ambiguous'],
    [otherCommit, 'none'],
    ['c0ffee0', 'ambiguous'],
    ['C0FFEE1', 'none'],
    ['12345678', 3],
    ['c0ffee', 'none'],
    ['v1.0.0', 1],
    ['refs/tags/v1.0.0', 1],
    ['v2', 5],
    ['main', 'none'],
    ['Previous', 'none']
  ]
  test.each(cases)('%s', async (to, target) => {
    expect(await idOf(findTarget(historyOf(...releases), to, hashOf('d')))).toBe(target)
    expect(await idOf(findTarget(historyOf(...releases), to, undefined))).toBe(target)
  })

  test('several say what they are and how to choose', async () => {
    const search = await findTarget(historyOf(...releases), commit, undefined)
    expect(search).toMatchObject({ kind: 'ambiguous', reason: expect.stringContaining(hashOf('d')) })
    expect(search).toMatchObject({ candidates: [{ id: 5 }, { id: 4 }, { id: 1 }] })
  })

  test('one that did not end well says how it ended and how to go there all the same', async () => {
    const { reason } = (await findTarget(historyOf(...releases), otherCommit, undefined)) as { reason: string }
    expect(reason).toContain('rolled-back')
    expect(reason).toContain('give its id')
  })

  test('text from outside cannot break out of the message', async () => {
    const { reason } = (await findTarget(historyOf(), 'x`\n::error::y', undefined)) as { reason: string }
    expect(reason).not.toContain('\n')
  })
})

test('a ledger that cannot be read is told as such', async () => {
  const ledger = new MemoryLedger()
  ledger.always.releases = 'forbidden'
  for (const to of ['previous', '1', hashOf('a')]) {
    const search = await findTarget(readHistory(ledger, place), to, hashOf('b'))
    expect(search).toMatchObject({ kind: 'failed', isForbidden: true })
  }
})
