import { delimiter, join } from 'node:path'
import { expect, test } from '@jest/globals'
import { runProgram } from '../../src/process.ts'
import { wrapCli } from '../../src/setup/cli-config.ts'
import { programsOnPath } from '../../src/setup/programs.ts'
import { targetFor } from '../../src/setup/target.ts'
import { installPrograms } from '../stand-ins/archives.ts'
import { temporaryFolders } from './folders.ts'

const makeFolder = temporaryFolders()
const target = targetFor('linux', 'x64')

test("the script of the job's earlier setup is not taken for the CLI", async () => {
  const setups = join(makeFolder(), 'stdb-actions')
  const release = makeFolder()
  const { 'spacetimedb-cli': cli, 'spacetimedb-standalone': server } = await installPrograms(release, '2.8.3')
  const script = join(setups, 'setup-1', 'bin')
  await wrapCli(script, cli, undefined, false)
  const find = (folders: readonly string[], ofThisJob: string) => {
    const environment = { PATH: [...folders, '/usr/bin', '/bin'].join(delimiter) }
    return programsOnPath('2.8.3', target, { run: runProgram, environment }, ofThisJob)
  }
  expect(await find([script, release], setups)).toEqual({ cli, server })
  expect(await find([script], setups)).toBeUndefined()
  expect(await find([script], `${setups}-of-another`)).toMatchObject({ cli: join(script, 'spacetime') })
})
