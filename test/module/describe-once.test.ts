import { expect, test } from '@jest/globals'
import { describeModule } from '../../src/module/describe.ts'
import { describeOnce } from '../../src/module/describe-once.ts'
import { moduleFromBytes } from '../../src/module/load.ts'
import type { Module } from '../../src/module/module.ts'
import { fixtureModule } from '../fixtures.ts'

const counter = () => moduleFromBytes(fixtureModule('counter.wasm'))

/** With how often a module was really described. */
function counted() {
  const count = { of: 0 }
  const describe = describeOnce((module: Module) => {
    count.of += 1
    return describeModule(module)
  })
  return { count, describe }
}

test('a module is described once, also while it is, and by whichever of its copies', async () => {
  const { count, describe } = counted()
  const module = counter()
  const [one, other] = await Promise.all([describe(module), describe(module)])
  expect(other).toBe(one)
  expect(await describe(counter())).toBe(one)
  expect(count.of).toBe(1)
  await describe(moduleFromBytes(fixtureModule('rich.wasm')))
  expect(count.of).toBe(2)
})

test('a module that could not be described is tried again', async () => {
  let attempts = 0
  const describe = describeOnce(async (module) => {
    attempts += 1
    if (attempts === 1) throw new Error('busy')
    return describeModule(module)
  })
  const module = counter()
  await expect(describe(module)).rejects.toThrow('busy')
  expect((await describe(module)).tables.map(({ name }) => name)).toContain('counter')
})
