import { join } from 'node:path'
import { beforeEach, expect, test } from '@jest/globals'
import { addToPath } from '../../actions/setup-spacetimedb/command.ts'
import type { Installed } from '../../src/setup/install.ts'
import type { Starting } from '../../src/setup/programs.ts'
import { temporaryFolders } from './folders.ts'

const makeFolder = temporaryFolders()
let root: string
beforeEach(() => {
  root = makeFolder({ path: '' })
  process.env.GITHUB_PATH = join(root, 'path')
})

/** Adds what was installed, where programs print this, and answers which were asked for their version. */
async function add(
  installed: Pick<Installed, 'cli' | 'folder'>,
  isWindows: boolean,
  config?: string,
  prints = 'spacetimedb tool version 2.8.3'
) {
  const asked: string[] = []
  const starting: Starting = {
    environment: {},
    run: async ({ program }) => {
      asked.push(program)
      return { exitCode: 0, stdout: prints, stderr: '' }
    }
  }
  const request = { version: '2.8.3', config, root, isWindows }
  await addToPath({ ...request, installed: { source: 'github', server: undefined, ...installed } }, starting)
  return asked
}

test('what is asked for its version is what later steps find', async () => {
  // Where the tool cache can't be written, what was extracted stays in the root.
  const folder = join(root, 'spacetimedb')
  const unpacked = { cli: join(folder, 'spacetimedb-cli.exe'), folder }
  expect(await add(unpacked, true)).toEqual([join(folder, 'spacetime.exe')])
  expect(await add(unpacked, true, 'cli.toml')).toEqual([join(root, 'bin', 'spacetime.cmd')])
  expect(await add(unpacked, false)).toEqual([join(folder, 'spacetime')])
  expect(await add(unpacked, false, 'cli.toml')).toEqual([join(root, 'bin', 'spacetime')])
  const inPath = { folder: undefined }
  expect(await add({ ...inPath, cli: '/usr/bin/spacetime' }, false)).toEqual([])
  expect(await add({ ...inPath, cli: 'spacetimedb-cli.exe' }, true)).toEqual([join(root, 'bin', 'spacetime.cmd')])
})

test('another version is a failure that names the program once', async () => {
  const installed = { cli: '/opt/spacetimedb-cli', folder: '/opt' }
  const as = (prints: string) => add(installed, false, undefined, prints)
  await expect(as('spacetimedb tool version 2.9.0')).rejects.toThrow(
    'SpacetimeDB 2.8.3 was installed as /opt/spacetime, but it says that it is 2.9.0.'
  )
  await expect(as('')).rejects.toThrow(
    'SpacetimeDB 2.8.3 was installed as /opt/spacetime, but `spacetime --version` ended with 0: it printed nothing.'
  )
})
