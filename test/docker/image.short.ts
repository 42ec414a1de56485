import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { startEngine } from './engine.ts'
import { Images } from './image.ts'

jest.setTimeout(60_000)

const engine = await startEngine('packages')

if (engine.kind === 'missing') {
  test.skip(`no image was built: ${engine.reason}`, () => {})
  process.stderr.write(`No image was built: ${engine.reason}\n`)
} else {
  const images = new Images(engine)

  afterAll(async () => {
    images.cleanUp()
    await engine.stop()
  })

  describe(`an image, with stand-in programs, on ${engine.name}`, () => {
    test('publishes its module, stops in order, and finds it again', async () => {
      await images.makeBases()
      await images.buildModule('game:1', 'counter.wasm')
      const first = await images.start('game:1', '--volume', 'data:/data')
      await images.becomesHealthy(first)
      expect(await images.stop(first)).toBe(0)
      const second = await images.start('game:1', '--volume', 'data:/data')
      await images.becomesHealthy(second)
      expect(await images.log(second)).toContain('unchanged: game runs sha256:')
      expect(await images.stop(second)).toBe(0)
    })
  })
}
