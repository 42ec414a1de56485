import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { fixtureModule } from '../fixtures.ts'
import { type EmbeddedServer, startServer } from './server.ts'

/** What a real server answered to statements about `rich` and `counter`; texts that differ on purpose are not here. */
let server: EmbeddedServer
let authorization: string

beforeAll(async () => {
  server = await startServer()
  authorization = `Bearer ${await server.issueToken('owner')}`
  for (const name of ['rich', 'counter']) await ask('PUT', `/${name}`, new Uint8Array(fixtureModule(`${name}.wasm`)))
  await ask('POST', '/rich/call/seed', '[2]')
})

afterAll(() => server.close())

describe('statements that a real server refuses', () => {
  test.each([
    ['counter', '   ;', 'Empty SQL query'],
    ['counter', 'SELECT COUNT(*) FROM counter', 'Aggregate expressions must have column aliases'],
    ['counter', 'SELECT nope FROM counter', '`nope` is not in scope'],
    ['counter', 'SELECT counter.nope FROM counter', '`counter` does not have a field `nope`'],
    ['counter', "SELECT * FROM counter WHERE id = 'x'", 'The literal expression `x` cannot be parsed as type `U32`'],
    ['counter', 'SELECT *, id FROM counter', 'Mixed wildcard projections are not supported'],
    [
      'counter',
      'INSERT INTO counter (id, value) VALUES (1)',
      'Inserting a row with 1 values into `counter` which has 2 fields'
    ],
    [
      'counter',
      'INSERT INTO counter (id, value) VALUES (0, 1)',
      `IndexError: Unique constraint violation 'counter_id_idx_btree' in table 'counter': column(s): '["id"]' value: 0`
    ],
    ['counter', 'SELECT * FROM counter WHERE id = 3 AND', 'sql parser error: Expected an expression:, found: EOF'],
    [
      'rich',
      'SELECT * FROM player WHERE guild = 3',
      'The literal expression `3` cannot be parsed as type `(some: U64 | none: ())`'
    ]
  ])('%s: %s', async (name, statement, reason) => {
    expect(await ask('POST', `/${name}/sql`, statement)).toEqual({ status: 400, text: reason })
  })
})

/** As read in the server's source (docs/server-behaviour.md, "What INSERT writes"). */
describe('values that can be compared with, and not be written', () => {
  const identity = `0x${'ab'.repeat(32)}`

  test.each([
    ['rich', "joined = '2024-01-01T00:00:00Z'", /^Unexpected type: \(expected\) String != .*inferred/],
    ['rich', 'joined = 5', /^The literal expression `5` cannot be parsed/],
    ['rich', 'joined = true', /^Unexpected type: \(expected\) Bool != /],
    ['rich', 'id = 0x12', /^The literal expression `12` cannot be parsed/],
    ['rich', 'id = 12', /^The literal expression `12` cannot be parsed/],
    ['counter', 'value = 0xff', /^The literal expression `ff` cannot be parsed/],
    ['counter', "value = '1'", /^Unexpected type/]
  ])('%s: SET %s', async (name, assignment, reason) => {
    const table = name === 'rich' ? 'player' : name
    const answer = await ask('POST', `/${name}/sql`, `UPDATE ${table} SET ${assignment}`)
    expect(answer).toEqual({ status: 400, text: expect.stringMatching(reason) })
  })

  test('an identity with all its digits is written', async () => {
    const statement = `UPDATE player SET id = ${identity} WHERE nickname = 'nobody'`
    expect(await ask('POST', '/rich/sql', statement)).toMatchObject({ status: 200 })
  })

  test('in an INSERT too', async () => {
    const statement = "INSERT INTO counter (id, value) VALUES ('1', 2)"
    expect(await ask('POST', '/counter/sql', statement)).toMatchObject({ status: 400 })
  })
})

describe('conditions', () => {
  test.each([
    ['nickname = \'player "1" — naïve\'', 1],
    ['id = 0x1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050400000001', 1],
    ["joined > '2024-01-01T00:00:00Z'", 2],
    ["joined > '2024-01-01T00:00:00Z' AND (nickname < 'player' OR nickname = 'x')", 0],
    ['id = :sender', 0],
    ['true', 2]
  ])('%s holds for %d rows', async (condition, count) => {
    const { text } = await ask('POST', '/rich/sql', `SELECT COUNT(*) AS n FROM player WHERE ${condition}`)
    expect(JSON.parse(text)[0].rows).toEqual([[count]])
  })

  test.each([
    ['big > 5', 2],
    ['signed < 0', 2],
    ['blob = 0x00ff01', 1],
    ['ok = true', 1],
    ["note <> 'x' AND id != 1", 1]
  ])('%s holds for %d secrets', async (condition, count) => {
    const { text } = await ask('POST', '/rich/sql', `SELECT s.id FROM secret s WHERE ${condition}`)
    expect(JSON.parse(text)[0].rows).toHaveLength(count)
  })
})

test.each(['SELECT a.id FROM counter a JOIN counter b', 'SELECT DISTINCT id FROM counter', 'SET row_limit = 5'])(
  'what it does not know it refuses: %s',
  async (statement) => {
    const { status, text } = await ask('POST', '/counter/sql', statement)
    expect([status, text]).toEqual([400, expect.stringMatching(/^Unsupported: .*embedded server/)])
  }
)

async function ask(method: string, path: string, body: Uint8Array | string) {
  const content = typeof body === 'string' ? body : new Uint8Array(body)
  const headers = { authorization, 'content-type': 'application/json' }
  const answer = await fetch(`${server.url}/v1/database${path}`, { method, headers, body: content })
  return { status: answer.status, text: await answer.text() }
}
