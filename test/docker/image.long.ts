import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { fixtureModule } from '../fixtures.ts'
import { startEngine, startRegistry } from './engine.ts'
import { Images } from './image.ts'

jest.setTimeout(300_000)

const engine = await startEngine('packages and buildx')
if (engine.kind === 'missing') throw new Error(`no image can be built here: ${engine.reason}`)

const images = new Images(engine)
const registry = await startRegistry(images.folder)

beforeAll(async () => {
  await images.makeBases()
  await images.buildModule('game:1', 'counter.wasm')
  await images.buildModule('game:2', 'counter-additive.wasm')
})

afterAll(async () => {
  await registry.stop()
  await engine.stop()
  images.cleanUp()
})

const volume = (name: string) => ['--volume', `${name}:/data`]

describe(`an image, with stand-in programs, on ${engine.name}`, () => {
  test('has the same layers each time it is built, and with another module all but one', async () => {
    await images.buildModule('again:1', 'counter.wasm', '--no-cache')
    const layers = await images.layers('game:1')
    expect(await images.layers('again:1')).toEqual(layers)
    const other = await images.layers('game:2')
    expect(other.slice(0, -1)).toEqual(layers.slice(0, -1))
    expect(other.at(-1)).not.toBe(layers.at(-1))
  })

  test('runs as it was pushed, restarts, is upgraded, and refuses to go back', async () => {
    const digests: string[] = []
    for (const tag of ['game:1', 'game:2']) {
      const reference = `${registry.host}/${tag}`
      await engine.docker('tag', tag, reference)
      const pushed = await engine.docker('push', reference)
      const [digest] = /sha256:[0-9a-f]{64}/.exec(pushed.slice(pushed.indexOf('digest: '))) ?? []
      digests.push(`${registry.host}/game@${digest}`)
      await engine.docker('rmi', reference, tag)
    }
    const [older, newer] = digests as [string, string]
    await engine.docker('pull', older)
    await engine.docker('pull', newer)
    const run = async (image: string, says: RegExp) => {
      const container = await images.start(image, ...volume('life'))
      await images.becomesHealthy(container)
      expect(await images.log(container)).toMatch(says)
      expect(await images.stop(container)).toBe(0)
    }
    await run(older, /published sha256:/)
    await run(older, /unchanged: /)
    await run(newer, /published sha256:/)
    await run(older, /refused: this image is older than the database/)
    const strict = await images.start(older, ...volume('life'), '--env', 'STRICT=1')
    expect(await images.ended(strict)).toBe(3)
    await engine.docker('tag', older, 'game:1')
    await engine.docker('tag', newer, 'game:2')
  })

  test('runs with a read-only file system, as whoever the platform says', async () => {
    const flags = ['--read-only', '--tmpfs', '/tmp', '--user', '12345:12345', '--tmpfs', '/data:uid=12345']
    const container = await images.start('game:1', ...flags)
    await images.becomesHealthy(container)
    expect(await images.stop(container)).toBe(0)
  })

  test('says whose the volume has to be', async () => {
    const host = join(images.folder, 'roots')
    mkdirSync(host, { mode: 0o755 })
    const container = await images.start('game:1', '--volume', `${host}:/data`)
    expect(await images.ended(container)).toBe(2)
    expect(await images.log(container)).toContain("/data can't be written by uid 1000")
  })

  test('serves one volume from one container', async () => {
    const first = await images.start('game:1', ...volume('shared'))
    await images.becomesHealthy(first)
    const second = await images.start('game:1', ...volume('shared'))
    expect(await images.ended(second)).toBe(2)
    expect(await images.log(second)).toContain('another container uses /data')
    expect(await images.stop(first)).toBe(0)
  })

  test.each<[string, Record<string, string>, string]>([
    ['without a module', {}, 'neither module.wasm nor module.js'],
    ['with two modules', { 'module.wasm': 'a', 'module.js': 'b' }, 'both module.wasm and module.js']
  ])('is not built %s', async (_, files, says) => {
    await expect(images.build('none:1', images.context(files))).rejects.toThrow(says)
  })

  test('has a Rust module built in it, with a stand-in for cargo', async () => {
    const cargo = `#!/bin/sh
set -eu
[ "$*" = 'build --release --target wasm32-unknown-unknown --locked' ]
[ -f Cargo.toml ] && [ ! -e ../.git ] && [ -f src/target/mod.rs ]
mkdir -p "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release"
cp module.bin "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/game.wasm"
`
    const toolchain = images.context({
      Dockerfile: 'FROM base:1\nCOPY cargo /usr/bin/cargo\nRUN chmod 755 /usr/bin/cargo\n',
      cargo
    })
    await engine.build('--network', 'none', '--tag', 'rust:1', toolchain)
    const source = {
      'source/server/Cargo.toml': '',
      'source/server/module.bin': fixtureModule('counter.wasm'),
      'source/.git/config': 'of no use to the build, and may hold a credential',
      'source/server/src/target/mod.rs': ''
    }
    const flags = ['MODULE_SOURCE=rust', 'RUST_IMAGE=rust:1', 'MODULE_PATH=server'].flatMap((flag) => [
      '--build-arg',
      flag
    ])
    await images.build('built:1', images.context(source), ...flags)
    const container = await images.start('built:1')
    await images.becomesHealthy(container)
    expect(await images.log(container)).toContain('published sha256:')
    await images.stop(container)
  })
})
