import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { hashModule, type ModuleHash, moduleHashFromU256, moduleHashToU256, planToken } from '../../src/module/hash.ts'
import { fixtureModule, recordings } from '../fixtures.ts'

describe("hashes are the server's", () => {
  const counter = hashModule(fixtureModule('counter.wasm'))
  const answerOf = (id: string) => recordings().find((recording) => recording.id === id)?.response.body ?? ''

  test('of a module that is live, which a server states with its bytes reversed', () => {
    expect(answerOf('12-live-program-hash')).toContain(moduleHashToU256(counter))
    expect(moduleHashFromU256(moduleHashToU256(counter))).toBe(counter)
  })

  test('the token of a plan', () => {
    const database = 'c2004c4358930ad5d0042c52ab8f904dbb4475db1733d59e25d0c4399e410a2d'
    expect(planToken(database, counter, hashModule(fixtureModule('counter-additive.wasm')))).toBe(
      '0xfbd5b6c884117584d48edabb6ac9d88dfee0b78270d08a55345fd28178b99237'
    )
  })

  test('leading zeros are dropped and come back', () => {
    const hash = `${'ab'.repeat(31)}00` as ModuleHash
    expect(moduleHashToU256(hash)).toBe(`0x${'ab'.repeat(31)}`)
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const any = Buffer.from(bytes).toString('hex') as ModuleHash
        expect(moduleHashFromU256(moduleHashToU256(any))).toBe(any)
      })
    )
  })

  test.each(['', '0x', 'ab', `0x${'0'.repeat(65)}`, '0xg'])('%j is no hash', (text) => {
    expect(() => moduleHashFromU256(text)).toThrow(/not a hash in the server's form/)
  })
})
