import { describe, expect, test } from '@jest/globals'
import { runPing } from '../../../src/smoke/kinds/ping.ts'
import { runServedHash } from '../../../src/smoke/kinds/served-hash.ts'
import { badGateway, startProxy } from '../../faults/proxy.ts'
import { prepareWorld, wasm } from '../../server/world.ts'
import { checkOf, placeOf, tryOnce } from './trial.ts'

const world = prepareWorld()

describe('ping', () => {
  const check = checkOf('ping', { ping: true, timeout: '1s' })

  test('passes when the server answers', async () => {
    const finding = await tryOnce(runPing, check, await placeOf(world, await world.shared('counter')))
    expect(finding).toEqual({ kind: 'passed', detail: expect.stringMatching(/^answered in \d+ ms$/) })
  })

  test('fails when nothing listens', async () => {
    const proxy = await startProxy(world.url)
    await proxy.close()
    const place = await placeOf(world, await world.shared('counter'), { url: proxy.url })
    expect(await tryOnce(runPing, check, place)).toEqual({
      kind: 'failed',
      expected: 'an answer',
      actual: expect.stringContaining('nothing listens at 127.0.0.1')
    })
  })

  test('fails when a gateway says that the server is gone, and when there is no answer at all', async () => {
    const proxy = await startProxy(world.url)
    try {
      proxy.inject({ match: {}, fault: badGateway })
      const place = await placeOf(world, await world.shared('counter'), { url: proxy.url })
      expect(await tryOnce(runPing, check, place)).toMatchObject({ actual: expect.stringContaining('502') })
    } finally {
      await proxy.close()
    }
    const silent = await startProxy(world.url)
    try {
      silent.inject({ match: {}, fault: { kind: 'hang' } })
      const place = await placeOf(world, await world.shared('counter'), { url: silent.url })
      expect(await tryOnce(runPing, check, place)).toEqual({
        kind: 'failed',
        expected: 'an answer within 1s',
        actual: 'none'
      })
    } finally {
      await silent.close()
    }
  })

  test('is not run in a job that is cancelled', async () => {
    const cancelled = AbortSignal.abort()
    const place = await placeOf(world, await world.shared('counter'), { cancelled })
    expect(await tryOnce(runPing, check, place)).toEqual({
      kind: 'not-run',
      reason: 'The job was cancelled.',
      final: true
    })
  })
})

describe('served-hash', () => {
  const { hash } = wasm('counter')
  const other = wasm('rich').hash

  test.each([
    [true, hash],
    [hash, undefined],
    [hash.toUpperCase(), other]
  ])('%s passes where %s is known', async (wanted, expectedHash) => {
    const place = await placeOf(world, await world.shared('counter'), { expectedHash })
    const finding = await tryOnce(runServedHash, checkOf('served-hash', { 'served-hash': wanted }), place)
    expect(finding).toEqual({ kind: 'passed', detail: `module ${hash}` })
  })

  test('another module fails, with both hashes', async () => {
    const place = await placeOf(world, await world.shared('counter'), { expectedHash: other })
    const finding = await tryOnce(runServedHash, checkOf('served-hash', { 'served-hash': true }), place)
    expect(finding).toEqual({ kind: 'failed', expected: `module ${other}`, actual: `module ${hash}` })
  })

  test('`true` is not run where no module is known', async () => {
    const place = await placeOf(world, await world.shared('counter'))
    const finding = await tryOnce(runServedHash, checkOf('served-hash', { 'served-hash': true }), place)
    expect(finding).toEqual({ kind: 'not-run', reason: expect.stringContaining('64 hex digits'), final: true })
  })

  test('a database that is not there', async () => {
    const place = { ...(await placeOf(world, await world.shared('counter'))), database: 'nowhere-at-all' }
    const finding = await tryOnce(runServedHash, checkOf('served-hash', { 'served-hash': hash }), place)
    expect(finding).toEqual({
      kind: 'not-run',
      reason: expect.stringContaining('`nowhere-at-all` not found'),
      final: true
    })
  })
})
