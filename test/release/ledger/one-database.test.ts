import { describe, expect, test } from '@jest/globals'
import type { LedgerPlace } from '../../../src/release/ledger/ledger.ts'
import { endingAt, positionIn } from '../../../src/release/ledger/one-database.ts'
import type { ReleaseRecord } from '../../../src/release/ledger/record.ts'
import { place, recordOf } from './records.ts'

const [ours, theirs] = ['a'.repeat(64), 'b'.repeat(64)]

describe('a release is of a database', () => {
  const { server, database } = place
  const cases: [
    title: string,
    record: Partial<ReleaseRecord>,
    place: Partial<LedgerPlace>,
    position: number | undefined
  ][] = [
    ['of the same name', {}, {}, 0],
    ['of the same name, whose identity is not known', { databaseIdentity: ours }, {}, 0],
    ['that it has created', {}, { databaseIdentity: ours }, 0],
    ['of the same identity', { databaseIdentity: ours }, { databaseIdentity: ours }, 0],
    ['that has another name now', { databaseIdentity: ours, database: 'old' }, { databaseIdentity: ours }, 0],
    ['that is given by its identity', { databaseIdentity: ours }, { database: ours }, 0],
    ['that was given by its identity', { database: ours }, { database: ours }, 0],
    [
      'among several',
      { databases: ['x', 'y', database], database: 'x', databaseIdentity: theirs },
      { databaseIdentity: ours },
      2
    ],
    [
      'that is the first of several',
      { databases: [database, 'y'], databaseIdentity: ours },
      { databaseIdentity: ours },
      0
    ],
    ['but not of another name', { database: 'old' }, {}, undefined],
    ['but not of one whose name it has taken', { databaseIdentity: theirs }, { databaseIdentity: ours }, undefined],
    [
      'but not of one whose name the first of several has taken',
      { databases: [database, 'y'], databaseIdentity: theirs },
      { databaseIdentity: ours },
      undefined
    ],
    ['but not on another server', { server: 'https://other.example.org' }, {}, undefined],
    [
      'but not on another server, of the same identity',
      { server: 'https://other.example.org', databaseIdentity: ours },
      { databaseIdentity: ours },
      undefined
    ],
    ['but not when it is of several others', { databases: ['x', 'y'], database: 'x' }, {}, undefined]
  ]
  test.each(cases)('%s', (_, record, of, position) => {
    expect(positionIn(recordOf('m', record), { server, database, ...of })).toBe(position)
  })
})

describe('an ending at one of several databases', () => {
  const record = recordOf('m', { action: 'promote', databases: ['x', 'y', 'z'] })
  const cases: [ending: Parameters<typeof endingAt>[1], position: number, there: ReturnType<typeof endingAt>][] = [
    [{ result: 'updated' }, 1, { state: 'good', result: 'updated' }],
    [{ result: 'updated', without: [1] }, 1, { state: 'bad' }],
    [{ result: 'failed', without: [1, 2] }, 0, { state: 'good' }],
    [{ result: 'failed', without: [1, 2] }, 2, { state: 'bad' }],
    [{ result: 'failed', without: [] }, 2, { state: 'good' }],
    [{ result: 'failed' }, 0, { state: 'unclear' }],
    [{ result: 'failed', isWithoutSome: true }, 0, { state: 'unclear' }],
    [{ result: 'updated', isWithoutSome: true }, 0, { state: 'unclear' }],
    [{ result: 'unhealthy', without: [1] }, 0, { state: 'unclear' }],
    [{ result: 'unhealthy', without: [1] }, 1, { state: 'bad' }],
    [{ result: 'unknown', without: [1] }, 0, { state: 'unclear' }]
  ]
  test.each(cases)('%j, position %i', (ending, position, there) => {
    expect(endingAt(record, ending, position)).toEqual(there)
  })
})

describe('an ending of one database', () => {
  const cases: [action: ReleaseRecord['action'], result: Parameters<typeof endingAt>[1]['result'], state: string][] = [
    ['deploy', 'created', 'good'],
    ['deploy', 'unchanged', 'good'],
    ['deploy', 'rolled-back', 'bad'],
    ['promote', 'rolled-back', 'bad'],
    ['rollback', 'rolled-back', 'good'],
    ['rollback', 'updated', 'good'],
    ['rollback', 'rollback-failed', 'bad'],
    ['adopt', 'unchanged', 'good'],
    ['deploy', 'unhealthy', 'bad'],
    ['deploy', 'unknown', 'bad']
  ]
  test.each(cases)('of %s: %s', (action, result, state) => {
    expect(endingAt(recordOf('m', { action }), { result }, 0)).toEqual({ state, result })
  })
})
