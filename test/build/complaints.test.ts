import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { placeInRepository, readComplaints } from '../../src/build/complaints.ts'
import { readCargoMessage } from '../../src/build/complaints-rustc.ts'
import type { ModuleLanguage } from '../../src/module-language.ts'
import { scratch } from './files.ts'

const { folder } = scratch()

/** In the words of the compilers; what is in the text for people is left out. */
describe('what compilers print', () => {
  test.each<[title: string, language: ModuleLanguage, text: string, expected: object[]]>([
    [
      'rustc, in colours',
      'rust',
      `   Compiling game v0.1.0 (/work)
\u001b[0m\u001b[1m\u001b[38;5;9merror[E0308]\u001b[0m\u001b[0m\u001b[1m: mismatched types\u001b[0m
\u001b[0m  \u001b[0m\u001b[0m\u001b[1m\u001b[38;5;12m--> \u001b[0m\u001b[0msrc/lib.rs:42:9\u001b[0m
   |
42 |         "x"
   |         ^^^ expected \`u64\`, found \`&str\`

warning: unused variable: \`ctx\`
 --> src/other.rs:7:3
error: linking with \`rust-lld\` failed: exit status: 1
  = note: some arguments
warning: \`game\` (lib) generated 1 warning
error: could not compile \`game\` (lib) due to 1 previous error; 1 warning emitted`,
      [
        {
          severity: 'error',
          code: 'E0308',
          message: 'mismatched types',
          place: { file: 'src/lib.rs', line: 42, column: 9 }
        },
        { severity: 'warning', message: 'unused variable: `ctx`', place: { file: 'src/other.rs', line: 7, column: 3 } },
        { severity: 'error', message: 'linking with `rust-lld` failed: exit status: 1' }
      ]
    ],
    [
      "the CLI's check for what prints nothing",
      'rust',
      `
Detected nonfunctional print statements:

/work/server/src/lib.rs:9:     println!("x");

Error: Found 1 disallowed print statement(s).`,
      [
        {
          severity: 'error',
          message: '`println!` prints nothing in a module. Use the crate `log`: `log::info!`.',
          place: { file: '/work/server/src/lib.rs', line: 9 }
        }
      ]
    ],
    [
      'tsc',
      'typescript',
      `src/index.ts(12,5): error TS2322: Type 'string' is not assignable to type 'number'.
src/a b.ts(3,1): error TS2345: Argument of type 'X' is not assignable.
  Type 'X' is missing the following properties: a, b
error TS18003: No inputs were found in config file.
Found 3 errors.`,
      [
        {
          severity: 'error',
          code: 'TS2322',
          message: "Type 'string' is not assignable to type 'number'.",
          place: { file: 'src/index.ts', line: 12, column: 5 }
        },
        {
          severity: 'error',
          code: 'TS2345',
          message: "Argument of type 'X' is not assignable.\n  Type 'X' is missing the following properties: a, b",
          place: { file: 'src/a b.ts', line: 3, column: 1 }
        },
        { severity: 'error', code: 'TS18003', message: 'No inputs were found in config file.' }
      ]
    ],
    [
      'rolldown, and the bundler in the CLI',
      'typescript',
      `[UNRESOLVED_IMPORT] Error: Could not resolve './missing' in src/index.ts
   ╭─[ src/index.ts:2:19 ]
   │
 2 │ import { x } from './missing'
───╯

src/index.ts (2:9) [MISSING_EXPORT] Warning: "nothing" is not exported by "src/other.ts".
   ╭─[ src/index.ts:2:10 ]
src/index.ts (5:7) [UNRESOLVED_IMPORT] Warning: Could not resolve 'left-padx' in src/index.ts
   ╭─[ src/index.ts:5:8 ]`,
      [
        {
          severity: 'error',
          code: 'UNRESOLVED_IMPORT',
          message: "Could not resolve './missing' in src/index.ts",
          place: { file: 'src/index.ts', line: 2, column: 19 }
        },
        {
          severity: 'warning',
          code: 'MISSING_EXPORT',
          message: '"nothing" is not exported by "src/other.ts".',
          place: { file: 'src/index.ts', line: 2, column: 10 }
        },
        {
          severity: 'error',
          code: 'UNRESOLVED_IMPORT',
          message: "Could not resolve 'left-padx' in src/index.ts",
          place: { file: 'src/index.ts', line: 5, column: 8 }
        }
      ]
    ],
    [
      'MSBuild, which says all twice',
      'csharp',
      `/work/server/Lib.cs(12,5): error CS0103: The name 'x' does not exist [/work/server/StdbModule.csproj]
/work/server/Lib.cs(14,5): warning CS0168: The variable 'e' is never used [/work/server/StdbModule.csproj::TargetFramework=net8.0]
CSC : error CS5001: Program does not contain a static 'Main' method [/work/server/StdbModule.csproj]

Build FAILED.

/work/server/Lib.cs(12,5): error CS0103: The name 'x' does not exist [/work/server/StdbModule.csproj]
    1 Error(s)`,
      [
        {
          severity: 'error',
          code: 'CS0103',
          message: "The name 'x' does not exist",
          place: { file: '/work/server/Lib.cs', line: 12, column: 5 }
        },
        {
          severity: 'warning',
          code: 'CS0168',
          message: "The variable 'e' is never used",
          place: { file: '/work/server/Lib.cs', line: 14, column: 5 }
        },
        { severity: 'error', code: 'CS5001', message: "Program does not contain a static 'Main' method" }
      ]
    ],
    [
      'clang',
      'cpp',
      `In file included from /work/src/lib.cpp:1:
/work/src/lib.cpp:12:5: error: use of undeclared identifier 'x'
/work/src/lib.cpp:14:7: warning: unused variable 'y' [-Wunused-variable]
/work/src/lib.cpp:1:10: fatal error: 'spacetimedb.h' file not found
2 errors generated.`,
      [
        {
          severity: 'error',
          message: "use of undeclared identifier 'x'",
          place: { file: '/work/src/lib.cpp', line: 12, column: 5 }
        },
        {
          severity: 'warning',
          code: '-Wunused-variable',
          message: "unused variable 'y'",
          place: { file: '/work/src/lib.cpp', line: 14, column: 7 }
        },
        {
          severity: 'error',
          message: "'spacetimedb.h' file not found",
          place: { file: '/work/src/lib.cpp', line: 1, column: 10 }
        }
      ]
    ]
  ])('%s', (_, language, text, expected) => {
    expect(readComplaints(language, text)).toEqual(expected)
  })
})

describe("cargo's JSON", () => {
  const span = (file: string, line: number, more: object = {}) => ({
    file_name: file,
    line_start: line,
    line_end: line + 1,
    column_start: 5,
    is_primary: true,
    ...more
  })
  const message = (spans: object[], more: object = {}) =>
    JSON.stringify({
      reason: 'compiler-message',
      message: {
        message: 'mismatched types',
        code: { code: 'E0308' },
        level: 'error',
        spans,
        children: [],
        rendered: 'R',
        ...more
      }
    })

  test('a complaint, with its label and what helps', () => {
    const line = message(
      [span('src/a.rs', 1, { is_primary: false }), span('src/lib.rs', 42, { label: 'expected `u64`' })],
      {
        children: [{ message: 'try `.into()`', level: 'help', spans: [] }]
      }
    )
    expect(readCargoMessage(line)).toEqual({
      kind: 'compiler',
      rendered: 'R',
      complaint: {
        severity: 'error',
        code: 'E0308',
        message: 'mismatched types\nexpected `u64`\nhelp: try `.into()`',
        place: { file: 'src/lib.rs', line: 42, endLine: 43, column: 5 }
      }
    })
  })

  test.each<[title: string, inner: object, file: string, line: number]>([
    [
      "a crate's macro: where it is used",
      span('/root/.cargo/registry/src/x/spacetimedb-2.8.3/src/lib.rs', 900, {
        expansion: { span: span('<::core::macros::table>', 1, { expansion: { span: span('src/lib.rs', 7) } }) }
      }),
      'src/lib.rs',
      7
    ],
    [
      'a macro of its own: where it is written',
      span('src/macros.rs', 3, { expansion: { span: span('src/lib.rs', 7) } }),
      'src/macros.rs',
      3
    ],
    ["a crate's own mistake: there", span('/cargo/registry/a.rs', 9), '/cargo/registry/a.rs', 9]
  ])('%s', (_, inner, file, line) => {
    expect(readCargoMessage(message([inner]))).toMatchObject({ complaint: { place: { file, line } } })
  })

  test('what only counts the others is no complaint', () => {
    const line = message([], { message: 'aborting due to 1 previous error', code: null })
    expect(readCargoMessage(line)).toMatchObject({ complaint: undefined })
  })

  test('an artifact, and anything else', () => {
    const artifact = {
      reason: 'compiler-artifact',
      manifest_path: '/w/Cargo.toml',
      target: { crate_types: ['cdylib'] },
      filenames: ['/w/a.wasm'],
      fresh: true
    }
    expect(readCargoMessage(JSON.stringify(artifact))).toEqual({
      kind: 'artifact',
      manifest: '/w/Cargo.toml',
      crateTypes: ['cdylib'],
      files: ['/w/a.wasm']
    })
    expect(readCargoMessage('{"reason":"build-finished","success":true}')).toBeUndefined()
    expect(readCargoMessage('   Compiling game')).toBeUndefined()
    expect(readCargoMessage('{"reason":')).toBeUndefined()
  })
})

describe('places', () => {
  test('are named from the repository, wherever the compiler named them from', async () => {
    const workspace = await folder({ 'game/server/src/lib.rs': '', 'shared/src/lib.rs': '' })
    const at = (file: string) => ({ severity: 'error' as const, message: 'm', place: { file, line: 1 } })
    const files = [
      'server/src/lib.rs',
      join(workspace, 'shared/src/lib.rs'),
      '/workspace/shared/src/lib.rs',
      '/cargo/a.rs',
      'gone.rs'
    ]
    const placed = await placeInRepository(files.map(at), {
      workspace,
      bases: [join(workspace, 'game'), workspace],
      remapped: { '/workspace': workspace }
    })
    expect(placed.map(({ place, message }) => place?.file ?? message)).toEqual([
      'game/server/src/lib.rs',
      'shared/src/lib.rs',
      'shared/src/lib.rs',
      'm\n(/cargo/a.rs:1)',
      'm\n(gone.rs:1)'
    ])
  })
})

describe('any text', () => {
  const pieces = fc.constantFrom(
    ...[
      'error',
      'warning',
      ': ',
      '[E0308]',
      '(1,2)',
      '\n',
      '  --> ',
      'src/a.rs',
      ':1:2',
      '[A_B] ',
      'Error',
      '╭─[ a:1:2 ]',
      'TS1',
      ' ',
      '['
    ],
    'Detected nonfunctional print statements:',
    'println!'
  )
  const text = fc.oneof(
    fc.array(pieces).map((all) => all.join('')),
    fc.string({ unit: 'binary' })
  )

  test.each<ModuleLanguage>(['rust', 'typescript', 'csharp', 'cpp'])(
    'of %s compilers has complaints or none',
    (language) => {
      fc.assert(
        fc.property(text, (printed) => {
          for (const { severity, message, place } of readComplaints(language, printed)) {
            expect(['error', 'warning']).toContain(severity)
            expect(typeof message).toBe('string')
            if (place) expect(place.line).toBeGreaterThanOrEqual(0)
          }
        })
      )
    }
  )

  test('a megabyte without a line end is read in no time', () => {
    for (const language of ['rust', 'typescript', 'csharp', 'cpp'] as const) {
      for (const piece of ['a', '(', 'a:1', ' error', '[A] ']) {
        const started = performance.now()
        readComplaints(language, piece.repeat(20_000))
        expect(performance.now() - started).toBeLessThan(2_000)
      }
    }
  })

  test('as JSON of cargo is a message or none', () => {
    fc.assert(fc.property(fc.oneof(text, fc.json()), (line) => void readCargoMessage(line)))
  })
})
