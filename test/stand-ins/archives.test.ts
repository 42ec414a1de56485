import { execFileSync } from 'node:child_process'
import { accessSync, constants, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, jest, test } from '@jest/globals'
import { releaseArchive, releaseArchives, releaseTargets } from './archives.ts'

/** Other work may keep the machine busy. */
jest.setTimeout(90_000)

const folder = mkdtempSync(join(tmpdir(), 'archives-'))

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a release has an archive for each target, named after it', async () => {
  const archives = await releaseArchives('2.8.3')
  expect(archives.map(({ target }) => target)).toEqual(releaseTargets)
  expect(archives.map(({ name }) => name)).toEqual([
    'spacetime-x86_64-unknown-linux-gnu.tar.gz',
    'spacetime-aarch64-unknown-linux-gnu.tar.gz',
    'spacetime-x86_64-apple-darwin.tar.gz',
    'spacetime-aarch64-apple-darwin.tar.gz',
    'spacetime-x86_64-pc-windows-msvc.zip'
  ])
})

test('an archive holds programs that run, at its root', async () => {
  const { bytes } = await releaseArchive('2.8.3', 'x86_64-unknown-linux-gnu')
  const unpacked = join(folder, 'linux')
  mkdirSync(unpacked)
  execFileSync('tar', ['-xz', '-C', unpacked], { input: bytes })
  expect(readdirSync(unpacked).sort()).toEqual(['spacetimedb-cli', 'spacetimedb-standalone'])
  for (const name of readdirSync(unpacked)) accessSync(join(unpacked, name), constants.X_OK)
  const printed = execFileSync(join(unpacked, 'spacetimedb-cli'), ['--version'], { encoding: 'utf8' })
  expect(printed).toContain('spacetimedb tool version 2.8.3; spacetimedb-lib version 2.8.3;')
})

test("the archive for Windows is a zip of .exe's", async () => {
  const { bytes } = await releaseArchive('2.8.3', 'x86_64-pc-windows-msvc')
  expect(bytes.subarray(0, 2).toString()).toBe('PK')
  for (const name of ['spacetimedb-cli.exe', 'spacetimedb-standalone.exe']) expect(bytes.includes(name)).toBe(true)
})

test('versions differ, and the same one is the same each time', async () => {
  const [one, other] = await Promise.all([
    releaseArchive('2.8.3', 'x86_64-unknown-linux-gnu'),
    releaseArchive('2.8.2', 'x86_64-unknown-linux-gnu')
  ])
  expect(one.digest).not.toBe(other.digest)
  expect((await releaseArchive('2.8.3', 'x86_64-unknown-linux-gnu')).digest).toBe(one.digest)
})
