import { copyFile, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { root } from '../../scripts/repository.ts'
import { hashModule } from '../../src/module/hash.ts'
import { runProgram } from '../../src/process.ts'
import { build, copyProject, expectedSchema } from '../build/building.ts'
import { installPrograms } from '../stand-ins/archives.ts'
import type { Toolchain } from './toolchain.ts'

/** A cold build compiles some 90 crates, and Debian's toolchain the standard library too. */
const patience = 30 * 60_000

/** Builds the Rust module of the fixtures for real, in two checkouts. */
export function testRustModule(toolchain: Toolchain): void {
  if (toolchain.kind === 'missing') {
    console.log(`No Rust module is built: ${toolchain.reason}.`)
    test.skip(`a Rust module is built (skipped: ${toolchain.reason})`, () => undefined)
    return
  }
  const { environment, name } = toolchain
  describe(`a Rust module, with ${name}`, () => {
    let folder: string
    let workspace: string
    let project: string
    let first: Awaited<ReturnType<typeof build>>

    beforeAll(async () => {
      // Not below the repository: cargo would read its settings.
      folder = await mkdtemp(join(await realpath(tmpdir()), 'stdb-rust-'))
      workspace = join(folder, 'checkout')
      project = join(workspace, 'server')
      await copyProject('rust-module', project)
      first = await timed('cold', () => build(project, { workspace, environment }))
    }, patience)

    afterAll(() => rm(folder, { recursive: true, force: true }))

    test('is built by cargo alone', () => {
      expect(first).toMatchObject({
        kind: 'built',
        file: expect.stringMatching(/wasm32-unknown-unknown\/release\/guestbook(\.opt)?\.wasm$/),
        builder: 'toolchain',
        language: 'rust',
        tools: { cargo: expect.stringMatching(/^cargo 1\./), rustc: expect.stringMatching(/^rustc 1\./) },
        bindings: { kind: 'locked', version: '2.8.3', file: join(project, 'Cargo.lock') }
      })
    })

    test('declares what its source says, and a server takes it', async () => {
      const { schema, published } = await judged(fileOf(first))
      expect(schema).toEqual(await expectedSchema('rust-module'))
      expect(published).toMatchObject({ status: 200, text: expect.stringContaining('"op":"created"') })
    }, 60_000)

    test('names no folder of this machine', async () => {
      const bytes = await readFile(fileOf(first), 'latin1')
      expect(bytes).toContain('/cargo/registry/')
      for (const place of [folder, environment.HOME, environment.CARGO_HOME, root]) {
        if (place !== undefined && place !== '/') expect(bytes).not.toContain(`${place}/`)
      }
    })

    test(
      'is taken from cache when nothing has changed, with the same bytes',
      async () => {
        const before = hashModule(await readFile(fileOf(first)))
        const again = await timed('warm', () => build(project, { workspace, environment }))
        expect(again.said).not.toContain('Compiling')
        expect(hashModule(await readFile(fileOf(again)))).toBe(before)
      },
      patience
    )

    test(
      'is the same when the CLI builds it',
      async () => {
        const before = hashModule(await readFile(fileOf(first)))
        const { 'spacetimedb-cli': cli } = await installPrograms(join(folder, 'bin'), '2.8.3')
        const built = await timed('by the CLI, warm', () =>
          build(project, { workspace, environment, builder: 'auto', cli })
        )
        expect(built).toMatchObject({ kind: 'built', builder: 'cli', tools: { cli: expect.stringContaining('2.8.3') } })
        expect(hashModule(await readFile(fileOf(built)))).toBe(before)
      },
      patience
    )

    test.each(['toolchain', 'cli'] as const)(
      'with mistakes is complained of at their places, by the builder %s',
      async (builder) => {
        const source = join(project, 'src/lib.rs')
        const good = await readFile(source, 'utf8')
        await copyFile(source, `${source}.good`)
        await writeFile(source, good.replace('    Glad,', '    Glad(NoSuchType),'))
        const { 'spacetimedb-cli': cli } = await installPrograms(join(folder, 'bin'), '2.8.3')
        const failed = await build(project, { workspace, environment, builder, cli })
        await copyFile(`${source}.good`, source)
        const line = (text: string) => good.split('\n').findIndex((each) => each.includes(text)) + 1
        expect(failed).toMatchObject({ kind: 'failed', builder, reason: expect.stringContaining('failed (exit code') })
        expect(failed.complaints).toContainEqual(
          expect.objectContaining({
            severity: 'error',
            // The older name, and the newer.
            code: expect.stringMatching(/^E04(12|25)$/),
            message: expect.stringContaining('NoSuchType'),
            place: expect.objectContaining({ file: 'server/src/lib.rs', line: line('    Glad,') })
          })
        )
      },
      patience
    )

    test(
      'has the same bytes in another checkout, with crates in another place',
      async () => {
        const before = hashModule(await readFile(fileOf(first)))
        const elsewhere = join(folder, 'a/much/longer/place/of/another-checkout')
        await copyProject('rust-module', join(elsewhere, 'server'))
        // The first build has chosen the crates: a lock file is no fixture, since it names where they come from.
        await copyFile(join(project, 'Cargo.lock'), join(elsewhere, 'server', 'Cargo.lock'))
        const crates = { ...environment, CARGO_HOME: join(folder, 'other-cargo-home') }
        const built = await timed('cold, elsewhere', () =>
          build(join(elsewhere, 'server'), { workspace: elsewhere, environment: crates })
        )
        expect(hashModule(await readFile(fileOf(built)))).toBe(before)
      },
      patience
    )
  })
}

function fileOf(result: Awaited<ReturnType<typeof build>>): string {
  if (result.kind === 'built') return result.file
  throw new Error(`${result.reason}\n${result.output}`)
}

async function timed<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const started = performance.now()
  const result = await work()
  console.log(`Rust module, ${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return result
}

async function judged(file: string) {
  const args = ['--import', 'tsx', join(root, 'test/build/judge-module.ts'), file]
  const { exitCode, stdout, stderr } = await runProgram({
    program: process.execPath,
    args,
    folder: root,
    environment: { PATH: process.env.PATH }
  })
  if (exitCode !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}
