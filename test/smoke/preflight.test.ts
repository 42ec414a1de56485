import { describe, expect, test } from '@jest/globals'
import type { ModuleHash } from '../../src/module/hash.ts'
import type { Schema } from '../../src/module/schema.ts'
import { defaultChecks } from '../../src/smoke/default-checks.ts'
import { type Circumstances, objections } from '../../src/smoke/preflight.ts'
import { checksFrom, emptySchema } from './model-place.ts'

const hash = 'ab'.repeat(32) as ModuleHash
const table = (name: string, access: 'public' | 'private') => ({
  name,
  columns: [],
  rowType: 0,
  uniqueConstraints: [],
  indexes: [],
  sequences: [],
  access,
  isEvent: false
})

const schema: Schema = {
  ...emptySchema,
  typespace: [{ kind: 'u8' }],
  tables: [table('player', 'public'), table('secret', 'private')],
  views: [{ name: 'top', parameters: [], returnType: { kind: 'bool' }, isPublic: true, isAnonymous: true }],
  reducers: [
    { name: 'init', parameters: [], visibility: 'private' },
    { name: 'health_check', parameters: [], visibility: 'client' },
    {
      name: 'add',
      parameters: [
        { name: 'id', type: { kind: 'u32' } },
        { name: 'delta', type: { kind: 'i64' } }
      ],
      visibility: 'client'
    },
    { name: 'tidy', parameters: [], visibility: 'private' },
    {
      name: 'all',
      parameters: [
        { type: { kind: 'string' } },
        { type: { kind: 'bool' } },
        { type: { kind: 'f64' } },
        { type: { kind: 'array', element: { kind: 'ref', ref: 0 } } },
        { type: { kind: 'array', element: { kind: 'u32' } } },
        { type: { kind: 'u256' } },
        { type: { kind: 'sum', variants: [] } }
      ],
      visibility: 'client'
    }
  ],
  procedures: [{ name: 'version', parameters: [], returnType: { kind: 'string' }, visibility: 'client' }],
  httpRoutes: [
    { method: 'GET', path: '/health', handler: 'health' },
    { method: 'ANY', path: '/any', handler: 'any' }
  ],
  lifecycle: [{ event: 'init', reducer: 'init' }]
}

const production: Circumstances = {
  server: { url: 'https://game.example.com' },
  database: 'game',
  schema,
  expectedHash: hash,
  isThrowAway: false,
  allowWrites: false,
  allowedLoadHosts: []
}
const throwAway: Circumstances = { ...production, server: { url: 'http://127.0.0.1:3000' }, isThrowAway: true }

const reasons = (check: object, circumstances: Circumstances) =>
  objections(checksFrom([check]), circumstances).map(({ reason }) => reason)

describe('what is not allowed', () => {
  const writing = 'It changes data, and "game" on https://game.example.com is a real database.'
  const loading = 'It puts a load on game.example.com.'

  test.each<[object, Partial<Circumstances>, string[]]>([
    [{ reducer: 'health_check' }, {}, []],
    [{ reducer: 'health_check', writes: true }, {}, [writing]],
    [{ reducer: 'health_check', writes: true }, { allowWrites: true }, []],
    [{ reducer: 'health_check', writes: true }, { isThrowAway: true }, []],
    [{ sql: 'DELETE FROM player' }, {}, [writing]],
    [{ subscription: 'SELECT * FROM player', call: { reducer: 'health_check', row: { id: 1 } } }, {}, [writing]],
    [{ load: 'health_check' }, {}, [writing, loading]],
    [{ load: 'health_check' }, { allowWrites: true, allowedLoadHosts: ['game.example.com'] }, []],
    [{ load: 'health_check' }, { isThrowAway: true }, []],
    [{ connections: 5 }, {}, [loading]],
    [{ connections: 5 }, { server: { url: 'http://localhost:3000' } }, []]
  ])('%j with %j', (check, others, expected) => {
    const given = reasons(check, { ...production, ...others })
    expect(given).toEqual(expected.map((start) => expect.stringContaining(start)))
    for (const reason of given) expect(reason).toMatch(/`allow-writes: true`|`allowed-load-hosts`/)
  })
})

describe('what the schema tells', () => {
  const callables = 'There are: `init`, `health_check`, `add`, `tidy`, `all`.'

  test.each<[object, string]>([
    [{ 'served-hash': hash }, ''],
    [{ reducer: 'add', args: [1, -5] }, ''],
    [{ reducer: 'add', args: [1, -(2n ** 63n)] }, ''],
    [{ reducer: 'ad', args: [1] }, `The module has no reducer \`ad\`. ${callables} Did you mean \`add\`?`],
    [{ load: 'ad' }, `The module has no reducer \`ad\`. ${callables} Did you mean \`add\`?`],
    [{ procedure: 'vershun' }, 'The module has no procedure `vershun`. There are: `version`. Did you mean `version`?'],
    [{ procedure: 'add' }, '`add` is a reducer of the module: write a check of the kind `reducer` for it.'],
    [{ reducer: 'version' }, '`version` is a procedure of the module: write a check of the kind `procedure` for it.'],
    [
      { reducer: 'init' },
      '`init` is run by the server itself, and nobody may call it. Check what it did with `sql` or `log`.'
    ],
    [{ reducer: 'tidy' }, ''],
    [{ reducer: 'tidy', as: 'anonymous' }, '`tidy` is private: only the owner may call it. Write `as: owner`.'],
    [{ reducer: 'add' }, 'It is given no arguments, and takes 2: `[id: u32, delta: i64]`. Write them as `args`.'],
    [{ reducer: 'health_check', args: [1] }, 'It is given one argument, and takes none: leave `args` out.'],
    [
      { reducer: 'add', args: ['1', 5] },
      'Argument 1 (`id`) is `"1"`, but has to be a whole number from 0 to 4294967295 (u32).'
    ],
    [
      { reducer: 'add', args: [1, 1.5] },
      'Argument 2 (`delta`) is `1.5`, but has to be a whole number from -9223372036854775808 to 9223372036854775807 (i64).'
    ],
    [{ reducer: 'all', args: ['a', true, 1, 'ff', [1], '0xff', { any: 1 }] }, ''],
    [
      { reducer: 'all', args: [1, true, 1, [1], [], 5, null] },
      'Argument 1 is `1`, but has to be a text: put it in quotes.'
    ],
    [
      { reducer: 'all', args: ['a', 'true', 1, [], [], 5, null] },
      'Argument 2 is `"true"`, but has to be `true` or `false`, without quotes.'
    ],
    [
      { reducer: 'all', args: ['a', true, 1, [], [-1], 5, null] },
      'Argument 5 is `[-1]`, but has to be a list of which each item is a whole number from 0 to 4294967295 (u32).'
    ],
    [{ sql: "SELECT * FROM player WHERE name = 'x from nowhere'" }, ''],
    [{ sql: 'SELECT * FROM st_module' }, ''],
    [{ sql: 'SELECT p.* FROM "player" p JOIN secret s ON p.id = s.id' }, ''],
    [{ sql: 'SELECT * FROM top' }, ''],
    [
      { sql: 'select * from players' },
      'The module has no table or view `players`. There are: `player`, `secret`, `top`. Did you mean `player`?'
    ],
    [{ subscription: 'SELECT * FROM secret' }, '`secret` is private: only the owner may read it. Write `as: owner`.'],
    [{ subscription: 'SELECT * FROM secret', as: 'owner' }, ''],
    [
      { subscription: 'SELECT * FROM player', call: { reducer: 'add', args: [1], row: { id: 1 } } },
      'It is given one argument, and takes 2: `[id: u32, delta: i64]`. Write them as `args`.'
    ],
    [{ 'http-route': '/health?full=1' }, ''],
    [{ 'http-route': '/any', method: 'DELETE' }, ''],
    [{ 'http-route': '/health', method: 'POST' }, '`/health` is not for POST. Set `method` to GET.'],
    [
      { 'http-route': '/healthz' },
      'The module has no HTTP handler for `/healthz`. There are: `/health`, `/any`. Did you mean `/health`?'
    ],
    [
      { metrics: { reducer: 'adds', p99: '1s' } },
      `The module has no reducer \`adds\`. ${callables} Did you mean \`add\`?`
    ]
  ])('%j: %s', (check, reason) => {
    expect(reasons(check, throwAway)).toEqual(reason === '' ? [] : [reason])
  })

  test('a hash that the job does not know can not be asked for', () => {
    expect(reasons({ 'served-hash': true }, { ...throwAway, expectedHash: undefined })).toEqual([
      expect.stringContaining('this job knows none')
    ])
  })
})

describe('without a file', () => {
  const kinds = (given: Schema, expected?: ModuleHash) =>
    defaultChecks(given, expected).checks.map(({ kind, name }) => `${kind}: ${name}`)

  test('what holds for any module is checked', () => {
    expect(kinds(schema, hash)).toEqual([
      'ping: The server answers',
      'served-hash: The module is served',
      'reducer: Call health_check',
      'log: No panic in the log'
    ])
    expect(kinds(emptySchema)).toEqual(['ping: The server answers', 'log: No panic in the log'])
    const procedures = [
      { name: 'health_check', parameters: [], returnType: { kind: 'bool' }, visibility: 'client' }
    ] as const
    expect(kinds({ ...emptySchema, procedures })).toContain('procedure: Call health_check')
  })

  test('nothing can be said against them, and the log is optional', () => {
    const { checks, deadline } = defaultChecks(schema, hash)
    expect(objections(checks, production)).toEqual([])
    expect(deadline).toBe(600_000)
    expect(checks.map(({ wanted }) => wanted.optional)).toEqual([false, false, false, true])
  })
})
