import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { hashModule, type ModuleHash, moduleHashFromU256, moduleHashToU256, planToken } from '../../src/module/hash.ts'
import { fixtureModule, recordings } from '../fixtures.ts'

const counter = hashModule(fixtureModule('counter.wasm'))
const additive = hashModule(fixtureModule('counter-additive.wasm'))

const hashes = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex') as ModuleHash)

describe("a module's hash", () => {
  test('is keccak256, which is not SHA3-256', () => {
    expect(hashModule(new Uint8Array())).toBe('c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470')
    expect(counter).toMatch(/^e16b60d5.*eee3c0$/)
    expect(additive).toMatch(/^10a9b789.*4c92cb6$/)
  })

  test('is what the server states for it, bytes reversed', () => {
    const stated = recordings().flatMap(({ case: name, response }) =>
      name === 'live-program-hash' ? [/"(0x[0-9a-f]+)"/.exec(response.body)?.[1]] : []
    )
    expect(stated).toEqual([moduleHashToU256(counter)])
  })

  test('comes back from its form as a U256, leading zeros or not', () => {
    fc.assert(fc.property(hashes, (hash) => moduleHashFromU256(moduleHashToU256(hash)) === hash))
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), (number) => {
        const hash = moduleHashFromU256(`0x${number.toString(16)}`)
        expect(hash).toMatch(/^[0-9a-f]{64}$/)
        expect(BigInt(moduleHashToU256(hash))).toBe(number)
      })
    )
  })

  test('as a U256 drops leading zeros, but not all of them', () => {
    const zeros = '0'.repeat(64) as ModuleHash
    expect(moduleHashToU256(zeros)).toBe('0x0')
    expect(moduleHashToU256(`${'0'.repeat(62)}a5` as ModuleHash)).toBe(`0xa5${'0'.repeat(62)}`)
    expect(moduleHashToU256(`a5${'0'.repeat(62)}` as ModuleHash)).toBe('0xa5')
  })

  test.each(['', '0x', 'e16b', '0xg', `0x${'1'.repeat(65)}`, '-0x1', ' 0x1'])('is not read from "%s"', (text) => {
    expect(() => moduleHashFromU256(text)).toThrow('not a hash')
  })
})

describe("a plan's token", () => {
  test('is what the server makes of database, live module and new module', () => {
    const database = 'c2004c4358930ad5d0042c52ab8f904dbb4475db1733d59e25d0c4399e410a2d'
    expect(planToken(database, counter, additive)).toBe(
      '0xfbd5b6c884117584d48edabb6ac9d88dfee0b78270d08a55345fd28178b99237'
    )
  })

  test('is another one for every other database and module, and the other way round', () => {
    const identity = hashes
    fc.assert(
      fc.property(identity, identity, hashes, hashes, (database, other, live, next) => {
        fc.pre(database !== other && live !== next)
        const tokens = [
          planToken(database, live, next),
          planToken(other, live, next),
          planToken(database, next, live),
          planToken(database, live, live)
        ]
        expect(new Set(tokens).size).toBe(tokens.length)
        for (const token of tokens) expect(token).toMatch(/^0x[1-9a-f][0-9a-f]{0,63}$/)
      })
    )
  })
})
