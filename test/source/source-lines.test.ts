import { symlink } from 'node:fs/promises'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Change, type ChangeKind, makeChange, type SubjectKind } from '../../src/migration/change.ts'
import type { ModuleLanguage } from '../../src/module-language.ts'
import { sourceLines } from '../../src/source/source-lines.ts'
import { withFiles } from './folder.ts'

const rest = { what: 'changes', verdict: 'compatible', atServer: 'planned' } as const

function changeOf(kind: SubjectKind, name: string, change: ChangeKind = { kind: 'unknown-parts' }): Change {
  return makeChange({ ...change, ...rest, subject: { kind, name } })
}

const added = (table: string, column: string) =>
  changeOf('table', table, { kind: 'column-added', column, hasDefault: true })

async function linesOf(language: ModuleLanguage, files: Readonly<Record<string, string>>, ...changes: Change[]) {
  return withFiles(files, async (repository) => {
    const places = await sourceLines(changes, { folder: repository, repository, language })
    return changes.map(({ id }) => places.get(id))
  })
}

/** The line of a source that has a text, or with a `$` after it is one, which is there once. */
function lineWith(source: string, text: string): number {
  const isIt = (line: string) => (text.endsWith('$') ? `${line}$` === text : line.includes(text))
  const lines = source.split('\n').flatMap((line, index) => (isIt(line) ? [index + 1] : []))
  if (lines.length !== 1) throw new Error(`${lines.length} lines have ${text}`)
  return lines[0] ?? 0
}

type Row = [change: Change, firstLine: string | undefined, lastLine?: string]

function testEach(language: ModuleLanguage, file: string, source: string, rows: readonly Row[]) {
  test.each(rows.map((row) => ({ row, title: `${row[0].subject.kind} ${row[0].subject.name}, ${row[0].kind}` })))(
    '$title',
    async ({ row: [change, first, last] }) => {
      const [place] = await linesOf(language, { [file]: source }, change)
      if (first === undefined) return expect(place).toBeUndefined()
      const line = lineWith(source, first)
      expect(place).toEqual({ file, line, ...(last !== undefined && { endLine: lineWith(source, last) }) })
    }
  )
}

describe('in Rust', () => {
  const source = `//! #[spacetimedb::table(accessor = commented)] pub struct Commented { x: u8 }
use spacetimedb::{reducer, table, view, ReducerContext};

#[table(name = old_style, public)]
pub struct OldStyle { pub id: u64, pub old_level: u32 }

#[derive(Clone)]
#[spacetimedb::table(
    accessor = level2Data,
    index(accessor = elsewhere, btree(columns = [hp2])),
)]
#[derive(Debug)]
pub(crate) struct Level2Data<'a> {
    /// someURL: the place
    #[unique]
    #[default("hp2: {")]
    pub(crate) someURL: String,
    pub hp2: Vec<(u8, u8)>, // ratio: 1
    r#type: u8,
}

#[table(accessor = one, public)]
#[table(accessor = two)]
struct Both { shared: u8 }

#[cfg(feature = "a")]
#[table(accessor = twice)]
struct TwiceA { id: u8 }
#[cfg(not(feature = "a"))]
#[table(accessor = twice)]
struct TwiceB { id: u8 }

#[reducer(name = "banPlayer1")]
pub fn BanPlayer(ctx: &ReducerContext) { let x = r#"#[reducer] fn inner() {}"#; }

#[reducer]
/// Text.
async fn increment_counter(ctx: &ReducerContext, c: char) { if c == '"' {} }

// #[reducer] fn gone(ctx: &ReducerContext) {}
/* #[reducer]
fn gone_too(ctx: &ReducerContext) {} */

#[reducer(client_connected)]
fn onConnect(ctx: &ReducerContext) {}

#[view(name = "Level2Person", accessor = person_at_level_2, public)]
fn level2_person(ctx: &AnonymousViewContext) -> Vec<Both> { vec![] }

#[derive(SpacetimeType)]
#[sats(name = "Namespace.Kind")]
pub enum Kind { A }

#[spacetimedb::http::router]
fn router() -> Router { Router::new()
    .get("/users", list)
    .post("/users", make) }
`
  testEach('rust', 'src/lib.rs', source, [
    [changeOf('table', 'old_style'), 'name = old_style', 'struct OldStyle'],
    [added('old_style', 'old_level'), 'struct OldStyle'],
    [changeOf('table', 'level_2_data'), '#[spacetimedb::table($', 'struct Level2Data'],
    [added('level_2_data', 'some_url'), 'pub(crate) someURL'],
    [added('level_2_data', 'hp_2'), 'pub hp2'],
    [added('level_2_data', 'type'), 'r#type'],
    [added('level_2_data', 'ratio'), '#[spacetimedb::table($', 'struct Level2Data'],
    [changeOf('table', 'elsewhere'), undefined],
    [changeOf('table', 'commented'), undefined],
    [added('one', 'shared'), 'struct Both'],
    [changeOf('table', 'two'), 'accessor = two', 'struct Both'],
    [changeOf('type', 'Both'), 'accessor = one', 'struct Both'],
    [changeOf('table', 'twice'), undefined],
    [changeOf('reducer', 'banPlayer1'), 'name = "banPlayer1"', 'fn BanPlayer'],
    [changeOf('reducer', 'increment_counter'), '#[reducer]$', 'fn increment_counter'],
    [changeOf('reducer', 'inner'), undefined],
    [changeOf('reducer', 'gone'), undefined],
    [changeOf('reducer', 'gone_too'), undefined],
    [changeOf('reducer', 'on_connect'), 'client_connected', 'fn onConnect'],
    [changeOf('lifecycle', 'client_connected'), 'client_connected', 'fn onConnect'],
    [changeOf('lifecycle', 'init'), undefined],
    [changeOf('view', 'Level2Person'), '"Level2Person"', 'fn level2_person'],
    [changeOf('type', 'Namespace.Kind'), 'SpacetimeType', 'enum Kind'],
    [changeOf('http-route', 'GET /users'), '.get("/users"'],
    [changeOf('http-route', 'POST /users'), '.post("/users"'],
    [changeOf('http-route', 'GET /user'), undefined],
    [changeOf('row-level-security', 'SELECT * FROM one'), undefined],
    [changeOf('module', ''), undefined],
    [changeOf('table', 'one', { kind: 'table-removed' }), undefined],
    [changeOf('reducer', 'increment_counter', { kind: 'reducer-removed' }), undefined],
    [changeOf('table', 'old_style', { kind: 'column-removed', column: 'gone' }), 'name = old_style', 'struct OldStyle']
  ])
})

describe('in TypeScript', () => {
  const source = `import { schema, table, t } from 'spacetimedb/server'
// table({ name: 'commented' }, { x: t.u8() })
const text = "table({ name: 'quoted' }, { x: t.u8() })"
const Spot = t.object('Spot', { x: t.i32() })

const playerRow = {
  id: t.u64().primaryKey().autoInc(),
  'nickName': t.string(), // level: of the player
  at: Spot,
}

const Player = table({ name: 'player', public: true, indexes: [{ name: 'by_name', columns: ['nickName'] }] }, playerRow)
const LoggedOut = table(
  { public: true },
  t.row({ hp2: t.u8(), spot: t.object('Inner', { deep: t.u8() }) }),
)
const Item = table({}, { id: t.u32(), label: t.string() })

const spacetimedb = schema({
  Player,
  loggedOutPlayer: LoggedOut,
  Item,
  trophyCase: table({ public: true }, {
    title: t.string(),
    shelf: t.u8().default(1),
  }),
})
export default spacetimedb

export const incrementCounter = spacetimedb.reducer({ name: t.string() }, (ctx, { name }) => {})
export const banPlayer = spacetimedb.reducer({ name: 'banPlayer1' }, { id: t.u32() }, () => {})
spacetimedb.reducer('old_style', { by: t.u32() }, () => {})
export const sayHello =
  spacetimedb.reducer(ctx => {})
export const init = spacetimedb.init(ctx => {})
spacetimedb.clientConnected(_ctx => {})
export const myPlayer = spacetimedb.view({ name: 'my_player', public: true }, t.option(Player.rowType), ctx => undefined)
spacetimedb.view({ name: 'old_view', public: true }, t.array(Player.rowType), ctx => [])
export const getSum: Procedure = spacetimedb.procedure(t.u64(), ctx => 1n)
export const router = spacetimedb.httpRouter(new Router()
  .get('/users', list))
`
  testEach('typescript', 'src/index.ts', source, [
    [changeOf('table', 'player'), "name: 'player'"],
    [added('player', 'nick_name'), "'nickName': t"],
    [added('player', 'level'), "name: 'player'"],
    [changeOf('table', 'by_name'), undefined],
    [changeOf('table', 'logged_out_player'), 'const LoggedOut'],
    [changeOf('table', 'logged_out'), undefined],
    [changeOf('table', 'item'), 'const Item'],
    [added('item', 'label'), 'const Item'],
    [changeOf('table', 'trophy_case'), 'trophyCase:'],
    [added('trophy_case', 'shelf'), 'shelf:'],
    [changeOf('table', 'commented'), undefined],
    [changeOf('table', 'quoted'), undefined],
    [changeOf('type', 'Spot'), "'Spot'"],
    [changeOf('reducer', 'increment_counter'), 'incrementCounter'],
    [changeOf('reducer', 'banPlayer1'), "'banPlayer1'"],
    [changeOf('reducer', 'ban_player'), undefined],
    [changeOf('reducer', 'old_style'), "'old_style'"],
    [changeOf('reducer', 'say_hello'), 'sayHello', '  spacetimedb.reducer(ctx'],
    [changeOf('lifecycle', 'init'), 'spacetimedb.init'],
    [changeOf('reducer', 'init'), 'spacetimedb.init'],
    [changeOf('lifecycle', 'client_connected'), 'clientConnected'],
    [changeOf('view', 'my_player'), "'my_player'"],
    [changeOf('view', 'old_view'), "'old_view'"],
    [changeOf('procedure', 'get_sum'), 'getSum'],
    [changeOf('http-route', 'GET /users'), "'/users'"]
  ])

  test('a row that another file has', async () => {
    const files = {
      'src/rows.ts':
        "import { t } from 'spacetimedb/server'\n\nexport const personRow = t.row('PersonRow', {\n  age: t.u8(),\n})\n",
      'src/index.ts': 'export const Person = table({ public: true }, personRow)\n'
    }
    expect(await linesOf('typescript', files, added('person', 'age'))).toEqual([{ file: 'src/rows.ts', line: 4 }])
  })
})

describe('in C#', () => {
  const source = `using SpacetimeDB;
// [Table(Accessor = "commented")] public partial struct Commented { public int x; }

[SpacetimeDB.Table(Name = "Player", Public = true)]
public partial struct Player
{
    [PrimaryKey, AutoInc]
    public uint Id;
    [Default("public int Fake;")]
    public string NickName { get; set; }
    public List<(int a, int b)>? hp2 = null;
    public int Computed() => 1;
}

[Table(Accessor = "first"), Table(Accessor = "second")]
[Index.BTree(Accessor = "by_x", Columns = new[] { "X" })]
public partial class Two { public float X; }

[Type]
public partial record Spot { public int A; }

static partial class Module
{
    [SpacetimeDB.Reducer]
    public static void IncrementCounter(ReducerContext ctx, string name) { var s = @"[Reducer] public static void Inner("; }

    [Reducer(Name = "banPlayer1")]
    [Obsolete("x")]
    public static async Task Ban(ReducerContext ctx) { }

    [Reducer(ReducerKind.ClientDisconnected)]
    public static void Bye(ReducerContext ctx) { }

    [View(Accessor = "my_player", Public = true)]
    public static Player? Mine(ViewContext ctx) => null;

    [SpacetimeDB.Procedure]
    public static ulong GetSum(ProcedureContext ctx) => 1;

    [HttpRouter]
    public static Router Routes() => Router.New().Get("/users", Handlers.List);
}
`
  testEach('csharp', 'Lib.cs', source, [
    [changeOf('table', 'Player'), 'SpacetimeDB.Table', 'struct Player'],
    [changeOf('table', 'player'), 'SpacetimeDB.Table', 'struct Player'],
    [added('player', 'nick_name'), 'NickName'],
    [added('player', 'hp_2'), 'hp2'],
    [added('player', 'fake'), 'SpacetimeDB.Table', 'struct Player'],
    [added('player', 'computed'), 'SpacetimeDB.Table', 'struct Player'],
    [changeOf('table', 'second'), '"first"', 'class Two'],
    [added('first', 'x'), 'class Two'],
    [changeOf('table', 'commented'), undefined],
    [changeOf('type', 'Spot'), '[Type]', 'record Spot'],
    [changeOf('reducer', 'increment_counter'), '[SpacetimeDB.Reducer]', 'IncrementCounter'],
    [changeOf('reducer', 'inner'), undefined],
    [changeOf('reducer', 'banPlayer1'), '"banPlayer1"', 'Task Ban'],
    [changeOf('lifecycle', 'client_disconnected'), 'ClientDisconnected', 'void Bye'],
    [changeOf('view', 'my_player'), '"my_player"', 'Mine'],
    [changeOf('procedure', 'get_sum'), 'SpacetimeDB.Procedure', 'GetSum'],
    [changeOf('http-route', 'GET /users'), '"/users"']
  ])
})

describe('in C++', () => {
  const header = `#define SPACETIMEDB_TABLE_OF(x) \\
    SPACETIMEDB_TABLE(x, defined, Public)
struct Player {
    uint64_t id;
    std::map<int, std::string> nickName{};
    // uint8_t commented;
    float ratio = 1'000.5f;
    bool isLive() const { return true; }
};
`
  const source = `#include "player.h"
SPACETIMEDB_STRUCT(Player, id, nickName, ratio)
SPACETIMEDB_TABLE(Player, player, Public)
SPACETIMEDB_TABLE(Player, logged_out,
    Private, true, "LoggedOut")
FIELD_PrimaryKeyAutoInc(player, id)

SPACETIMEDB_REDUCER(incrementCounter, ReducerContext ctx, std::string name) { LOG("SPACETIMEDB_REDUCER(quoted"); return Ok(); }
SPACETIMEDB_REDUCER_NAMED(ban, "banPlayer1", ReducerContext ctx) { return Ok(); }
SPACETIMEDB_INIT(start, ReducerContext ctx) { return Ok(); }
SPACETIMEDB_VIEW(std::optional<Player>, my_player, Public, ViewContext ctx) { return {}; }
SPACETIMEDB_PROCEDURE(
    uint64_t,
    get_sum, ProcedureContext ctx) { return 1; }
SPACETIMEDB_HTTP_ROUTER(router) { return Router().get("/users", list); }
`
  const files = { 'src/lib.cpp': source, 'src/player.h': header }
  const inSource = (first: string, last?: string) => ({
    file: 'src/lib.cpp',
    line: lineWith(source, first),
    ...(last !== undefined && { endLine: lineWith(source, last) })
  })
  const inHeader = (text: string) => ({ file: 'src/player.h', line: lineWith(header, text) })

  test.each<[Change, object | undefined]>([
    [changeOf('table', 'player'), inSource('Player, player, Public')],
    [added('player', 'nick_name'), inHeader('nickName')],
    [added('player', 'ratio'), inHeader('ratio')],
    [added('player', 'commented'), inSource('Player, player, Public')],
    [changeOf('table', 'LoggedOut'), inSource('logged_out')],
    [changeOf('table', 'defined'), undefined],
    [changeOf('type', 'Player'), inSource('SPACETIMEDB_STRUCT')],
    [changeOf('reducer', 'increment_counter'), inSource('incrementCounter')],
    [changeOf('reducer', 'quoted'), undefined],
    [changeOf('reducer', 'banPlayer1'), inSource('banPlayer1')],
    [changeOf('lifecycle', 'init'), inSource('SPACETIMEDB_INIT')],
    [changeOf('reducer', 'start'), inSource('SPACETIMEDB_INIT')],
    [changeOf('view', 'my_player'), inSource('my_player')],
    [changeOf('procedure', 'get_sum'), inSource('SPACETIMEDB_PROCEDURE', 'get_sum')],
    [changeOf('http-route', 'GET /users'), inSource('/users')]
  ])('%#', async (change, expected) => {
    expect(await linesOf('cpp', files, change)).toEqual([expected])
  })
})

describe('of what a folder holds', () => {
  const player = '#[table(accessor = player)]\npub struct Player { id: u8 }\n'
  const change = changeOf('table', 'player')
  const place = { file: 'src/lib.rs', line: 1, endLine: 2 }

  test.each(['target/debug/out.rs', 'src/bin/tool.rs', '.cache/lib.rs', 'src/module_bindings/player.rs', 'notes.md'])(
    '%s is not looked at',
    async (other) => {
      expect(await linesOf('rust', { 'src/lib.rs': player, [other]: player }, change)).toEqual([place])
    }
  )

  test('two declarations leave none', async () => {
    expect(await linesOf('rust', { 'src/lib.rs': player, 'src/other.rs': player }, change)).toEqual([undefined])
  })

  test('a file too large is not looked at, nor where links lead', async () => {
    const large = player + '// filler\n'.repeat(40_000)
    await withFiles({ 'src/lib.rs': player, 'src/large.rs': large, 'elsewhere/lib.rs': player }, async (repository) => {
      await symlink(`${repository}/elsewhere`, `${repository}/src/linked`)
      const folder = `${repository}/src`
      const places = await sourceLines([change], { folder, repository, language: 'rust' })
      expect(places.get(change.id)).toEqual(place)
    })
  })

  test('which lies in a folder of the repository: the path begins at its root', async () => {
    await withFiles({ 'games/one/src/lib.rs': player }, async (repository) => {
      const folder = `${repository}/games/one`
      const places = await sourceLines([change], { folder, repository, language: 'rust' })
      expect(places.get(change.id)?.file).toBe('games/one/src/lib.rs')
    })
  })

  test('which is not there, or not in the repository, has none', async () => {
    await withFiles({ 'a/src/lib.rs': player }, async (folder) => {
      const missing = await sourceLines([change], { folder: `${folder}/b`, repository: folder, language: 'rust' })
      const outside = await sourceLines([change], {
        folder: `${folder}/a`,
        repository: `${folder}/b`,
        language: 'rust'
      })
      expect([missing.size, outside.size]).toEqual([0, 0])
    })
  })
})

describe('of any text', () => {
  const pieces = fc.constantFrom(
    ...[
      '#[table(',
      'accessor = player',
      'name = "player"',
      ')]',
      'struct Player',
      '{',
      '}',
      'level: u8,',
      '\n',
      '\r\n'
    ],
    ...[
      "table({ name: 'player' }, {",
      '})',
      'const player = ',
      'export const ',
      'spacetimedb.reducer(',
      'schema({',
      '`'
    ],
    ...[
      '[Table(Accessor = "player")]',
      'public int level;',
      '[Reducer]',
      'void Add(',
      ')',
      ';',
      '"',
      "'",
      '//',
      '/*',
      '*/'
    ],
    ...[
      'SPACETIMEDB_TABLE(Player, player, Public)',
      'struct',
      'uint8_t level;',
      'R"(',
      '#define ',
      '\\',
      '.get("/a", b)'
    ],
    ...['#[reducer]', 'fn add(', 'add', '😀', '\u2028', 'r#"', '@"', '"""', 't.row({', '[', ']', ',', '=']
  )
  const text = fc.array(fc.oneof(pieces, fc.string({ maxLength: 6 })), { maxLength: 60 }).map((parts) => parts.join(''))
  const languages = [
    ['rust', 'lib.rs'],
    ['typescript', 'index.ts'],
    ['csharp', 'Lib.cs'],
    ['cpp', 'lib.cpp']
  ] as const
  const changes = [
    added('player', 'level'),
    changeOf('table', 'player'),
    changeOf('reducer', 'add'),
    changeOf('type', 'Player'),
    changeOf('http-route', 'GET /a')
  ]

  test.each(languages)('in %s nothing is thrown, and no line is outside of the file', async (language, file) => {
    let found = 0
    await fc.assert(
      fc.asyncProperty(text, async (source) => {
        const places = await linesOf(language, { [file]: source }, ...changes)
        const count = source.split('\n').length
        for (const place of places) {
          if (!place) continue
          found += 1
          expect(place.line).toBeGreaterThanOrEqual(1)
          expect(place.endLine ?? count).toBeGreaterThan(place.endLine === undefined ? 0 : place.line)
          expect(Math.max(place.line, place.endLine ?? 0)).toBeLessThanOrEqual(count)
        }
      }),
      { numRuns: 150, seed: 7 }
    )
    expect(found).toBeGreaterThan(0)
  })
})
