import { inspect } from 'node:util'
import { describe, expect, jest, test } from '@jest/globals'
import { describeModule } from '../../src/module/describe.ts'
import type { Ask } from '../../src/rehearsal/ask.ts'
import { copiedValues } from '../../src/rehearsal/copied-values.ts'
import { copyTable } from '../../src/rehearsal/copy-table.ts'
import type { CopiedColumn } from '../../src/rehearsal/plan-copies.ts'
import type { CheckReport } from '../../src/smoke/check-report.ts'
import { connect } from '../../src/spacetimedb/client.ts'
import { tokenCredential } from '../../src/spacetimedb/credential.ts'
import type { SqlAnswer } from '../../src/spacetimedb/server.ts'
import { startProxy } from '../faults/proxy.ts'
import { matrixWasm, rows, userWith, wasm } from '../server/world.ts'
import { startRecordingProxy } from './recording-proxy.ts'
import { checksOf, prepareStage } from './stage.ts'

const stage = prepareStage()

jest.setTimeout(60_000)
const gold = 2n ** 63n - 3n
const person = `c200${'ab'.repeat(30)}`

/** A live inventory game with 12 trophies and one vault. */
async function liveGame(module = 'base'): Promise<string> {
  const database = await stage.live.create(matrixWasm(module))
  const trophies = Array.from({ length: 12 }, (_, id) => `(${id + 1}, 'Trophy of O''Neill ${id}')`)
  const { client } = stage.live.owner
  await client.sql(database, `INSERT INTO trophy (id, title) VALUES ${trophies.join(', ')}`)
  await client.sql(database, `INSERT INTO vault (owner, gold) VALUES (0x${person}, ${gold})`)
  return database
}

describe('copying', () => {
  test('takes what SQL can write, as it is, and says why it leaves the rest', async () => {
    const database = await liveGame()
    const seed = 'seed:\n  - copy: all\n    except: [stall]\n'
    const rehearsed = await stage.rehearse({ old: stage.from(database), module: matrixWasm('table-add'), seed })
    expect(rehearsed.outcome).toEqual({ kind: 'passed' })
    const copies = Object.fromEntries(rehearsed.tables.map(({ name, copy }) => [name, copy]))
    expect(copies).toMatchObject({
      trophy: { kind: 'copied', rows: 12, isCut: false },
      vault: { kind: 'copied', rows: 1 },
      player: { kind: 'not-copied', reason: "SQL can't write the type of a column: guild" },
      item: { kind: 'not-copied', reason: "SQL can't write the type of columns: rarity, effect, runes, spot" },
      restock: { kind: 'not-copied', reason: expect.stringContaining('schedule') },
      chime: { kind: 'not-copied', reason: expect.stringContaining('event table') }
    })
    expect(copies.stall).toBeUndefined()
    expect(rehearsed.limits.join()).not.toContain('no row of production was asked for')
    const from = await rows(stage.live.owner, database, 'SELECT * FROM trophy')
    const to = await rows(stage.owner, rehearsed.database, 'SELECT * FROM trophy')
    expect(new Set(to.map((row) => row.join()))).toEqual(new Set(from.map((row) => row.join())))
    expect(await rows(stage.owner, rehearsed.database, 'SELECT * FROM vault')).toEqual([[[`0x${person}`], gold]])
  })

  test('shows no value of a row anywhere', async () => {
    const database = await liveGame()
    const seed = 'seed:\n  - copy: all\n'
    const asked = { old: stage.from(database), module: matrixWasm('table-add'), seed }
    const { log, markdown, json } = await stage.rehearse(asked)
    for (const text of [log, markdown, json]) expect(text).not.toMatch(new RegExp(`O.?.?Neill|${gold}|${person}`))
  })

  test('keeps limits, conditions and masks', async () => {
    const database = await liveGame()
    const seed = 'seed:\n  - copy: trophy\n    limit: 3\n    where: id > 5\n    mask: [title]\n'
    const rehearsed = await stage.rehearse({ old: stage.from(database), module: matrixWasm('table-add'), seed })
    expect(rehearsed.tables.find(({ name }) => name === 'trophy')).toMatchObject({
      rows: { production: 12n, filled: 3n, back: 3n },
      copy: { kind: 'copied', rows: 3, isCut: true, masked: ['title'] }
    })
    const found = await rows(stage.owner, rehearsed.database, 'SELECT * FROM trophy')
    expect(found.every(([id]) => Number(id) > 5)).toBe(true)
    expect(found.map(([, title]) => title).sort()).toEqual(['masked-1', 'masked-2', 'masked-3'])
    expect(rehearsed.limits).toContain('Of these tables no row of production was asked for: vault.')
    expect(rehearsed.limits.join()).toMatch(/trophy was copied up to its limit of 3 rows.*made-up values in title/s)
    expect(rehearsed.markdown).toContain('3, cut at the limit, masked: `title`')
  })

  test('takes many rows in batches, and says that sequences begin anew', async () => {
    const database = await stage.live.create(matrixWasm('autoinc-add'))
    const many = Array.from({ length: 450 }, (_, at) => `(${at + 1}, 'no ${at}')`).join(', ')
    await stage.live.owner.client.sql(database, `INSERT INTO trophy (id, title) VALUES ${many}`)
    const asked = { module: matrixWasm('autoinc-add'), seed: 'seed:\n  - copy: trophy\n' }
    const rehearsed = await stage.rehearse({ ...asked, old: stage.from(database) })
    expect(rehearsed.tables.find(({ name }) => name === 'trophy')).toMatchObject({
      rows: { production: 450n, filled: 450n },
      copy: { kind: 'copied', rows: 450, isCut: false }
    })
    expect(rehearsed.limits.join()).toContain('The sequence of trophy.id begins anew')
  })

  test('makes all values up where all columns are masked', async () => {
    const database = await liveGame()
    const seed = 'seed:\n  - copy: vault\n    mask: [owner, gold]\n'
    const rehearsed = await stage.rehearse({ old: stage.from(database), module: matrixWasm('table-add'), seed })
    expect(await rows(stage.owner, rehearsed.database, 'SELECT * FROM vault')).toEqual([[['0x1'], 1]])
  })

  test('leaves private tables to the owner', async () => {
    const database = await liveGame()
    const seed = 'seed:\n  - copy: vault\n  - copy: trophy\n'
    const module = matrixWasm('table-add')
    const rehearsed = await stage.rehearse({ old: stage.from(database, stage.live.other), module, seed })
    expect(rehearsed.outcome).toEqual({ kind: 'passed' })
    expect(rehearsed.tables).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'trophy', copy: expect.objectContaining({ kind: 'copied', rows: 12 }) }),
        expect.objectContaining({
          name: 'vault',
          copy: { kind: 'not-copied', reason: "it is private, and only the database's owner may read it" }
        })
      ])
    )
    expect(rehearsed.limits.join()).toMatch(/the credential is not the owner's: .*vault/)
  })

  test('shows no value either where a check or the server would', async () => {
    const database = await stage.live.create(matrixWasm('base'))
    const long = 'Settembrini said to Castorp that '.repeat(20)
    const insert =
      "INSERT INTO trophy (id, title) VALUES (1, 'Hans Castorp'), (2, 'Clawdia'), (3, 'Joachim\n\nCastle'), (4, '" +
      long +
      "')"
    await stage.live.owner.client.sql(database, insert)
    const reports: CheckReport[] = []
    const rehearsed = await stage.rehearse({
      old: stage.from(database),
      module: matrixWasm('table-add'),
      seed: 'seed:\n  - copy: trophy\n  - sql: UPDATE trophy SET id = 1\n',
      checks: checksOf([{ sql: 'SELECT title FROM trophy WHERE id = 1', value: 'nobody' }]),
      tools: { onReport: (report) => void reports.push(report) }
    })
    expect(rehearsed.outcome).toMatchObject({ kind: 'failed', stage: 'seed' })
    const withChecks = await stage.rehearse({
      old: stage.from(database),
      module: matrixWasm('table-add'),
      seed: 'seed:\n  - copy: trophy\n',
      checks: checksOf([1, 3, 4].map((id) => ({ sql: `SELECT title FROM trophy WHERE id = ${id}`, value: 'nobody' }))),
      tools: { onReport: (report) => void reports.push(report) }
    })
    expect(reports.map(({ outcome }) => outcome)).toMatchObject([
      { kind: 'failed', actual: 'value = "***"' },
      { kind: 'failed', actual: 'value = "***"' },
      { kind: 'failed', actual: 'value = "***…' }
    ])
    expect(withChecks.markdown).toMatch(/found .*\\\*\\\*\\\*/)
    const texts = [rehearsed, withChecks].flatMap(({ log, markdown, json }) => [log, markdown, json])
    for (const text of [...texts, inspect(reports, { depth: 9 })]) expect(text).not.toMatch(/Cast/)
    expect(reports).toHaveLength(3)
  })
})

test('row-level security shows a stranger what it shows', async () => {
  const database = await liveGame('rls-add')
  const asked = { module: matrixWasm('rls-add'), seed: 'seed:\n  - copy: all\n' }
  const asStranger = await stage.rehearse({ ...asked, old: stage.from(database, stage.live.other) })
  expect(asStranger.limits.join()).toContain('row-level security')
  const asOwner = await stage.rehearse({ ...asked, old: stage.from(database) })
  expect(asOwner.limits.join()).not.toContain('row-level security')
})

describe('rich', () => {
  test('seeded by its own reducer, migrates to itself with rows; its tables can not be copied by SQL', async () => {
    const database = await stage.liveDatabase('rich')
    await stage.live.owner.client.call(database, 'seed', [5])
    const seed = 'seed:\n  - copy: all\n  - call: seed\n    args: [4]\n'
    const rehearsed = await stage.rehearse({ old: stage.from(database), module: 'rich', seed })
    expect(rehearsed.outcome).toEqual({ kind: 'passed' })
    expect(rehearsed.tables.map(({ name, copy }) => [name, copy?.kind]).sort()).toEqual([
      ['player', 'not-copied'],
      ['secret', 'not-copied'],
      ['tick', 'not-copied']
    ])
    const player = rehearsed.tables.find(({ name }) => name === 'player')
    expect(player).toMatchObject({
      rows: { production: 5n, filled: 4n },
      copy: { reason: "SQL can't write the type of columns: class, at, guild, tags, joined" }
    })
    expect(rehearsed.limits.join()).toMatch(/schedule \(tick\)/)
  })
})

test('awkward names are taken as they are', async () => {
  const database = await stage.liveDatabase('odd-names')
  const rehearsed = await stage.rehearse({
    old: stage.from(database),
    module: 'odd-names',
    seed: 'seed:\n  - copy: all\n'
  })
  expect(rehearsed.outcome).toEqual({ kind: 'passed' })
  expect(rehearsed.tables.map(({ name, rows }) => [name, rows.filled])).toEqual(
    expect.arrayContaining([
      ['KeptAsIs2', 0n],
      ['level_2_data', 0n]
    ])
  )
})

describe('the live server', () => {
  test('is only read, and neither server gets the token of the other', async () => {
    const database = await liveGame()
    const [live, thrownAway] = await Promise.all([
      startRecordingProxy(stage.live.url),
      startRecordingProxy(stage.thrownAwayUrl)
    ])
    try {
      const reader = userWith(live.url, stage.live.owner.token)
      const writer = userWith(thrownAway.url, stage.owner.token)
      const { outcome } = await stage.rehearse({
        old: stage.from(database, reader),
        module: matrixWasm('table-add'),
        seed: 'seed:\n  - copy: all\n',
        tools: { server: writer.client, anonymous: connect({ url: thrownAway.url }) }
      })
      expect(outcome).toEqual({ kind: 'passed' })
      const writes = live.seen.filter(({ method, body }) => method !== 'GET' && !/^SELECT [^;]*$/.test(body))
      expect(writes).toEqual([])
      expect(live.seen.some(({ token }) => token.includes(stage.live.owner.token))).toBe(true)
      expect(live.seen.filter(({ token, body }) => (token + body).includes(stage.owner.token))).toEqual([])
      expect(thrownAway.seen.filter(({ token, body }) => (token + body).includes(stage.live.owner.token))).toEqual([])
    } finally {
      await Promise.all([live.close(), thrownAway.close()])
    }
  })

  test.each([
    // Of the requests of SQL, the first is for the module, the next for rows.
    ['while its module is fetched', 'old module', [1, 2]],
    ['while rows are read', 'seed', [2, 3]]
  ])('that breaks off %s ends the rehearsal', async (_, failedStage, broken) => {
    const database = await liveGame()
    const proxy = await startProxy(stage.live.url)
    try {
      proxy.inject(...broken.map((nth) => ({ match: { path: /\/sql$/, nth }, fault: { kind: 'cut' } as const })))
      const { token, identity } = stage.live.owner
      const patience = { attempts: 2, firstDelay: 1 }
      const server = connect({ url: proxy.url, credential: tokenCredential(token), patience })
      const old = { kind: 'live', server, database, identity } as const
      const seed = 'seed:\n  - copy: trophy\n'
      const { outcome } = await stage.rehearse({ old, module: matrixWasm('table-add'), seed })
      expect(outcome).toMatchObject({ kind: 'failed', stage: failedStage })
      if (failedStage === 'seed') expect(outcome).toHaveProperty('reason', expect.stringContaining('table trophy: '))
    } finally {
      await proxy.close()
    }
  })
})

test('an answer that is not understood leaves its table out', async () => {
  const database = await liveGame()
  const proxy = await startProxy(stage.live.url)
  try {
    proxy.inject({ match: { path: /\/sql$/, nth: 2 }, fault: { kind: 'answer', status: 200, body: '<html>' } })
    const { token, identity } = stage.live.owner
    const server = connect({ url: proxy.url, credential: tokenCredential(token) })
    const rehearsed = await stage.rehearse({
      old: { kind: 'live', server, database, identity },
      module: matrixWasm('table-add'),
      seed: 'seed:\n  - copy: trophy\n  - copy: vault\n'
    })
    expect(rehearsed.outcome).toEqual({ kind: 'passed' })
    expect(rehearsed.tables).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          name: 'trophy',
          copy: { kind: 'not-copied', reason: expect.stringMatching(/not understood, or too long: a smaller `limit`/) }
        }),
        expect.objectContaining({ name: 'vault', copy: expect.objectContaining({ kind: 'copied' }) })
      ])
    )
  } finally {
    await proxy.close()
  }
})

test('masked columns of few values are named where they have to be unique', async () => {
  const schema = await describeModule(matrixWasm('base'))
  const trophy = schema.tables.find(({ name }) => name === 'trophy')
  if (trophy === undefined) throw new Error('the module has no such table')
  const columns: CopiedColumn[] = [
    { name: 'id', kind: 'u8', isMasked: true, countsByItself: false },
    { name: 'title', kind: 'string', isMasked: false, countsByItself: false }
  ]
  const answer: SqlAnswer = {
    kind: 'rows',
    columns: ['title'],
    types: [],
    rows: Array.from({ length: 300 }, (_, at) => [`title ${at}`]),
    stats: { inserted: 0, updated: 0, deleted: 0 }
  }
  const seen = new Set<string>()
  const target: Ask = async (statement) => {
    const ids = [...statement.matchAll(/\((\d+), /g)].map(([, id = '']) => id)
    const isTwice = ids.some((id) => seen.has(id))
    for (const id of ids) seen.add(id)
    return isTwice ? { kind: 'rejected', reason: 'Unique constraint violation' } : { ...answer, rows: [] }
  }
  const end = await copyTable(
    { kind: 'copy', table: trophy, limit: 300, where: undefined, columns },
    { live: async () => answer, target, copied: copiedValues(schema), budget: { bytes: 1e6 } }
  )
  expect(end).toMatchObject({ kind: 'not-copied', reason: expect.stringMatching(/masked id, whose type has 256/) })
})

test('a server that is thrown away and breaks off ends the rehearsal', async () => {
  const database = await liveGame()
  const proxy = await startProxy(stage.thrownAwayUrl)
  try {
    // Of the requests of SQL, the first tells what is live, then a table is emptied and filled.
    proxy.inject({ match: { path: /\/sql$/, nth: 3 }, fault: { kind: 'reset-after' } })
    const { client } = userWith(proxy.url, stage.owner.token)
    const { outcome, log } = await stage.rehearse({
      old: stage.from(database),
      module: matrixWasm('table-add'),
      seed: 'seed:\n  - copy: trophy\n',
      tools: { server: client }
    })
    expect(outcome).toMatchObject({ kind: 'failed', stage: 'seed', reason: expect.stringContaining('broke off') })
    expect(log).not.toContain('Neill')
  } finally {
    await proxy.close()
  }
})

describe('filling has an end', () => {
  const endless = 'deadline: 1s\nseed:\n  - call: increment_counter\n    args: [1]\n    times: 100000\n'
  const old = { kind: 'base', module: wasm('counter'), name: 'branch main' } as const

  test('when its time is over', async () => {
    const { outcome } = await stage.rehearse({ old, module: 'counter-additive', seed: endless })
    expect(outcome).toMatchObject({
      kind: 'failed',
      stage: 'seed',
      reason: expect.stringContaining('The time for filling, 1 s (`deadline` of seed.yml), is over.')
    })
  })

  test('when the job is cancelled', async () => {
    const stop = new AbortController()
    const narrator = {
      begin: (step: string) => {
        if (step === 'Fill the database') setTimeout(() => stop.abort(), 100)
      },
      end: () => {},
      tell: () => {},
      warn: () => {}
    }
    const seed = endless.replace('1s', '1m')
    const { outcome } = await stage.rehearse({
      old,
      module: 'counter-additive',
      seed,
      tools: { cancelled: stop.signal, narrator }
    })
    expect(outcome).toEqual({ kind: 'cancelled', stage: 'seed' })
  })
})
