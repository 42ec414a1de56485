import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { moduleFromBytes } from '../../src/module/load.ts'
import type { Module } from '../../src/module/module.ts'
import { fileSource, findModule, type ModuleSource, moduleInFolder } from '../../src/release/module-sources.ts'
import { scratch } from '../build/files.ts'
import { tinyModule } from '../module/tiny-module.ts'

const { folder: newFolder } = scratch()

const wanted = moduleFromBytes(tinyModule({ panics: 'wanted' }))
const other = moduleFromBytes(tinyModule({ panics: 'other' }))

function source(name: string, answer: Module | undefined | Error): ModuleSource & { asked: number } {
  return {
    name,
    asked: 0,
    async fetch() {
      this.asked += 1
      if (answer instanceof Error) throw answer
      return answer
    }
  }
}

describe('the bytes of a module', () => {
  test('come from the first source that has them, and each before it is told with why', async () => {
    const last = source('a registry', wanted)
    const sources = [
      source('a file', new Error('it can not be read.')),
      source('an artifact', undefined),
      source('a release', other),
      source('the live module', wanted),
      last
    ]
    expect(await findModule(wanted.hash, sources)).toEqual({
      kind: 'found',
      module: wanted,
      source: 'the live module',
      tried: [
        { source: 'a file', reason: 'it can not be read' },
        { source: 'an artifact', reason: 'it is not there' },
        { source: 'a release', reason: `what it has is another module: ${other.hash}` }
      ]
    })
    expect(last.asked).toBe(0)
  })

  test('are never others than those of the hash, whatever sources there are', async () => {
    const answers = fc.constantFrom(wanted, other, undefined, new Error('away'))
    await fc.assert(
      fc.asyncProperty(fc.array(answers, { maxLength: 6 }), async (all) => {
        const search = await findModule(
          wanted.hash,
          all.map((answer, at) => source(`${at}`, answer))
        )
        const first = all.indexOf(wanted)
        expect(search.kind).toBe(first === -1 ? 'not-found' : 'found')
        expect(search.tried).toHaveLength(first === -1 ? all.length : first)
        if (search.kind === 'found') expect(search.module.hash).toBe(wanted.hash)
      })
    )
  })

  test('of a file that holds another module are not taken', async () => {
    const path = join(await newFolder(), 'module.wasm')
    writeFileSync(path, other.bytes)
    const search = await findModule(wanted.hash, [fileSource(path)])
    expect(search).toEqual({
      kind: 'not-found',
      tried: [{ source: `the file ${path}`, reason: `what it has is another module: ${other.hash}` }]
    })
  })
})

describe('in a folder', () => {
  test('the file of the hash is found, whatever lies beside and above it', async () => {
    const folder = await newFolder()
    mkdirSync(join(folder, 'deep', 'er'), { recursive: true })
    writeFileSync(join(folder, 'other.wasm'), other.bytes)
    writeFileSync(join(folder, 'schema.json'), '{}')
    writeFileSync(join(folder, 'broken.wasm'), '')
    writeFileSync(join(folder, 'deep', 'er', 'm.wasm'), wanted.bytes)
    expect((await moduleInFolder(folder, wanted.hash))?.hash).toBe(wanted.hash)
    expect((await moduleInFolder(join(folder, 'deep'), other.hash))?.hash).toBe(wanted.hash)
  })

  test('without a module there is none', async () => {
    const folder = await newFolder()
    writeFileSync(join(folder, 'schema.json'), '{}')
    expect(await moduleInFolder(folder, wanted.hash)).toBeUndefined()
  })
})
