import { cp, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { describeModule } from '../../src/module/describe.ts'
import { hashModule } from '../../src/module/hash.ts'
import { loadModule } from '../../src/module/load.ts'
import { runProgram } from '../../src/process.ts'
import { node24 } from '../runner/node24.ts'
import { build, copyProject, expectedSchema } from './building.ts'
import { scratch } from './files.ts'

/** A real build: packages from npm's registry, TypeScript's compiler, rolldown. */
const { folder } = scratch()
let workspace: string
let project: string
let built: Awaited<ReturnType<typeof build>>

beforeAll(async () => {
  workspace = await folder()
  project = join(workspace, 'games/guestbook')
  await copyProject('typescript-module', project)
  built = await build(project, { workspace })
}, 180_000)

describe('a TypeScript module, built without the CLI', () => {
  test('is a bundle, made with what its lock file says', () => {
    expect(built).toMatchObject({
      kind: 'built',
      file: join(project, 'dist/bundle.js'),
      builder: 'toolchain',
      language: 'typescript',
      tools: {
        node: expect.stringMatching(/^v\d/),
        npm: expect.stringMatching(/^\d/),
        typescript: '7.0.2',
        rolldown: '1.0.0-rc.3'
      },
      bindings: { kind: 'locked', version: '2.8.3', file: join(project, 'package-lock.json') },
      complaints: []
    })
    expect(built.said).toContain('$ npm ci')
  })

  const newer = node24()
  const onNode24 = newer === undefined ? test.skip : test
  onNode24('declares what its source says, and a server takes it', async () => {
    const program = join(import.meta.dirname, 'judge-module.ts')
    const args = [program, join(project, 'dist/bundle.js')]
    const { exitCode, stdout, stderr } = await runProgram({ program: `${newer}`, args, environment: {} })
    expect([exitCode, stderr]).toEqual([0, ''])
    const { schema, published } = JSON.parse(stdout)
    expect(schema).toEqual(await expectedSchema('typescript-module'))
    expect(published).toMatchObject({ status: 200, text: expect.stringContaining('"op":"created"') })
  })

  const isOld = Number.parseInt(process.versions.node, 10) < 24
  const onOldNode = isOld ? test : test.skip
  onOldNode('says on an older Node why it can not be described there', async () => {
    const module = await loadModule(join(project, 'dist/bundle.js'))
    await expect(describeModule(module)).rejects.toThrow(/has `using` declarations, .* Node 24 can/)
  })

  test('has the same bytes in another checkout', async () => {
    const elsewhere = join(await folder(), 'another/much/deeper/checkout')
    await cp(workspace, elsewhere, { recursive: true })
    const again = await build(join(elsewhere, 'games/guestbook'), { workspace: elsewhere })
    expect(again).toMatchObject({ kind: 'built', file: join(elsewhere, 'games/guestbook/dist/bundle.js') })
    expect(again.said).not.toContain('npm ci')
    const [here, there] = await Promise.all([project, join(elsewhere, 'games/guestbook')].map(bundleOf))
    expect(hashModule(there as Buffer)).toBe(hashModule(here as Buffer))
    const map = /base64,(.*)$/m.exec(`${here}`)?.[1] ?? ''
    expect(JSON.parse(Buffer.from(map, 'base64').toString()).sources).toContain('src/index.ts')
  }, 60_000)
})

const bundleOf = (checkout: string) => readFile(join(checkout, 'dist/bundle.js'))

describe('a TypeScript module that can not be built', () => {
  const index = (text: string) => `import { schema, t, table } from 'spacetimedb/server'\n${text}\n`
  test.each<[title: string, text: string, expected: object]>([
    [
      'for its types',
      index("const count: number = 'one'\nexport default schema({})"),
      {
        reason: '`tsc` failed (exit code 1).',
        complaints: [
          {
            severity: 'error',
            code: 'TS2322',
            message: "Type 'string' is not assignable to type 'number'.",
            place: { file: 'games/guestbook/src/index.ts', line: 2, column: 7 }
          }
        ]
      }
    ],
    [
      'for a package that is not there',
      index("// @ts-ignore\nimport { pad } from 'left-padx'\nexport default schema({})\npad()"),
      {
        reason: 'Not found, and not on a server either: `left-padx`. Add the package to `dependencies`.',
        complaints: [
          { severity: 'error', code: 'UNRESOLVED_IMPORT', place: { file: 'games/guestbook/src/index.ts', line: 3 } }
        ]
      }
    ],
    [
      'for a file that is not there',
      index("// @ts-ignore\nimport './gone'\nexport default schema({})"),
      {
        reason: '`rolldown` failed (exit code 1).',
        complaints: [
          {
            severity: 'error',
            code: 'UNRESOLVED_IMPORT',
            message: "Could not resolve './gone' in src/index.ts",
            place: { file: 'games/guestbook/src/index.ts', line: 3 }
          }
        ]
      }
    ],
    [
      'for want of a schema',
      index('export const guestbook = schema({})'),
      {
        reason: 'The module does not export its schema. In src/index.ts, write `export default schema({ … })`.',
        complaints: []
      }
    ],
    [
      'for want of SpacetimeDB',
      'export default 1',
      {
        reason: expect.stringMatching(
          /^The module does not use SpacetimeDB: nothing in it imports `spacetimedb\/server`/
        )
      }
    ]
  ])(
    '%s',
    async (_, text, expected) => {
      const checkout = await folder()
      const copy = join(checkout, 'games/guestbook')
      await copyProject('typescript-module', copy)
      await symlink(join(project, 'node_modules'), join(copy, 'node_modules'))
      await writeFile(join(copy, 'src/index.ts'), text)
      expect(await build(copy, { workspace: checkout })).toMatchObject({
        kind: 'failed',
        builder: 'toolchain',
        ...expected
      })
    },
    60_000
  )
})
