import { generateKeyPairSync } from 'node:crypto'
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { parse } from 'smol-toml'
import { fixtureModule } from '../fixtures.ts'
import { cleanUp, imageWith, install, newFolder, programsWith, start } from './entrypoint-run.ts'
import { additive, counter, end, expectLive, ownersToken, publishedVolume, ready, serve } from './entrypoint-served.ts'
import { must, run } from './running.ts'

/** Other work may keep the machine busy. */
jest.setTimeout(90_000)

/** Another module of the same tables, which can replace `counter` and be replaced by it. */
const sibling = imageWith('counter-unhealthy.wasm')

/** Mounting takes root and a kernel that lets it. */
const onOwnMount = (await canMount()) ? test : test.skip

let published = ''

beforeAll(async () => {
  await install()
  published = (await publishedVolume()).volume
})

afterAll(cleanUp)

async function canMount(): Promise<boolean> {
  const place = newFolder()
  if ((await run('mount', ['-t', 'tmpfs', 'tmpfs', place])).exitCode !== 0) return false
  await must('umount', [place])
  return true
}

describe('with an empty volume', () => {
  test.each([
    ['that is no module', Buffer.from('not a module')],
    ['whose init fails', 'counter-init-fails.wasm']
  ])('ends with a module %s, since there is nothing to serve', async (_, module) => {
    const { code, log } = await end({ module: imageWith(module), volume: newFolder() })
    expect(code).toBe(1)
    expect(log).toContain('there is no database game to serve')
    expect(log).toMatch(/error stdb-entrypoint: {3}Error: /)
    expect(log).toContain('Shutting down server...')
  })

  test('uses the keys of a secret', async () => {
    const keys = newFolder()
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    writeFileSync(join(keys, 'id_ecdsa.pub'), pem)
    const environment = { SPACETIMEDB_KEY_DIR: keys }
    const volume = newFolder()
    expect(await end({ module: counter, volume, environment })).toEqual({
      code: 2,
      log: expect.stringMatching(/SPACETIMEDB_KEY_DIR is .*can read no id_ecdsa: mount both/)
    })
    writeFileSync(join(keys, 'id_ecdsa'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
    await serve({ module: counter, volume, environment }, async (url) => {
      expect(await (await fetch(`${url}/v1/identity/public-key`)).text()).toBe(pem)
    })
  })
})

describe('with a volume from before', () => {
  test('ends for a refused module when that is asked for', async () => {
    const volume = newFolder(published)
    await serve({ module: additive, volume })
    const strict = await end({ module: counter, volume, environment: { STRICT: '1' } })
    expect(strict.code).toBe(3)
    expect(strict.log).toContain('Shutting down server...')
    expect(await serve({ module: additive, volume })).toContain('unchanged')
  })

  test('goes back when that is allowed, and forth again', async () => {
    const volume = newFolder(published)
    await serve({ module: sibling, volume })
    const environment = { ALLOW_DOWNGRADE: '1' }
    await serve({ module: counter, volume, environment }, (url) => expectLive(url, 'counter.wasm'))
    expect(await serve({ module: counter, volume })).toContain('unchanged')
    await serve({ module: sibling, volume }, (url) => expectLive(url, 'counter-unhealthy.wasm'))
  })

  test.each([
    ['breaks clients', 'counter-new-columns.wasm', 'Publishing aborted by user'],
    ['needs a manual migration', 'counter-column-type.wasm', 'would require manual migration'],
    ['does not load', Buffer.from('not a module'), 'Error: ']
  ])('serves what is there when the new module %s', async (_, module, reason) => {
    const volume = newFolder(published)
    const image = imageWith(module)
    const log = await serve({ module: image, volume }, (url) => expectLive(url, 'counter.wasm'))
    expect(log).toContain('refused: the module of this image was not published')
    expect(log).toContain(reason)
  })

  test('publishes again when the database was deleted', async () => {
    const volume = newFolder(published)
    const headers = { authorization: `Bearer ${ownersToken(volume)}` }
    await serve({ module: counter, volume }, async (url) => {
      expect((await fetch(`${url}/v1/database/game`, { method: 'DELETE', headers })).status).toBe(200)
    })
    expect(await serve({ module: counter, volume })).toContain('published sha256:')
  })

  test('leaves a module that was published from outside', async () => {
    const volume = newFolder(published)
    const headers = { authorization: `Bearer ${ownersToken(volume)}` }
    await serve({ module: counter, volume }, async (url) => {
      const body = new Uint8Array(fixtureModule('counter-additive.wasm'))
      expect((await fetch(`${url}/v1/database/game`, { method: 'PUT', headers, body })).status).toBe(200)
    })
    const log = await serve({ module: counter, volume }, (url) => expectLive(url, 'counter-additive.wasm'))
    expect(log).toContain('refused: game runs another module than the one this image published')
  })

  test('names the databases that are there when it makes another one', async () => {
    const volume = newFolder(published)
    const log = await serve({ module: counter, volume, environment: { SPACETIMEDB_DATABASE: 'game-2' } })
    expect(log).toContain(
      'SPACETIMEDB_DATABASE is game-2, and nothing was published to it from this volume, but to: game.'
    )
    expect(log).toMatch(/published sha256:\w+ to game-2/)
  })

  test('publishes again what it noted as unknown', async () => {
    const volume = newFolder(published)
    const history = join(volume, 'stdb-image/databases/game/published')
    writeFileSync(history, readFileSync(history, 'utf8').replace(/ \w+ /, ' unknown '))
    expect(await serve({ module: counter, volume })).toContain('published sha256:')
    expect(await serve({ module: counter, volume })).toContain('unchanged')
  })

  test.each(['86fbd0601fcf4206', '7'.repeat(64), `${'z'.repeat(64)} none`])(
    'drops the damaged note of a publish: %s',
    async (note) => {
      const volume = newFolder(published)
      const publishing = join(volume, 'stdb-image/databases/game/publishing')
      writeFileSync(publishing, note)
      expect(await serve({ module: counter, volume })).toMatch(/publishing is damaged, and removed.*unchanged/s)
      expect(existsSync(publishing)).toBe(false)
    }
  )

  test('ends a publish that is deaf to its time limit', async () => {
    const volume = newFolder(published)
    const deaf = `case " $* " in *' publish '*) trap '' TERM; sleep 60;; esac\nexec "$programs/spacetimedb-cli" "$@"`
    const environment = {
      SPACETIMEDB_PROGRAM_DIR: programsWith('spacetimedb-cli', deaf),
      SPACETIMEDB_PUBLISH_TIMEOUT: '1'
    }
    expect(await serve({ module: additive, volume, environment })).toContain(
      'refused: publishing did not end within 1 s'
    )
    expect(existsSync(join(volume, 'stdb-image/databases/game/publishing'))).toBe(true)
  })

  test('sees that a publish went through although the CLI failed, and makes sure of it later', async () => {
    const volume = newFolder(published)
    const failing = `"$programs/spacetimedb-cli" "$@" || exit
case " $* " in *' publish '*) echo 'Error: connection closed' >&2; exit 1;; esac`
    const environment = { SPACETIMEDB_PROGRAM_DIR: programsWith('spacetimedb-cli', failing) }
    const log = await serve({ module: additive, volume, environment }, (url) =>
      expectLive(url, 'counter-additive.wasm')
    )
    expect(log).toContain('game has changed, although the CLI ended with 1')
    expect(log).toContain('Error: connection closed')
    expect(await serve({ module: additive, volume })).toContain('published sha256:')
    expect(await serve({ module: additive, volume })).toContain('unchanged')
  })

  onOwnMount('is served from a full one (skipped where nothing can be mounted)', async () => {
    const volume = newFolder()
    await must('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', volume])
    try {
      cpSync(published, volume, { recursive: true })
      await run('dd', ['if=/dev/zero', `of=${join(volume, 'filling')}`, 'bs=4096'])
      expect(() => writeFileSync(join(volume, 'more'), 'x')).toThrow('ENOSPC')
      const container = await start({ module: counter, volume, environment: { RUST_LOG: 'info' } })
      await container.says(ready)
      expect(container.log()).toContain('unchanged: game runs')
      expect(container.log()).toContain('RUST_LOG has no effect: could not write to')
      expect((await container.health()).exitCode).toBe(0)
      await container.stop()
    } finally {
      await must('umount', [volume])
    }
  })
})

describe('the server under it', () => {
  test('ends it with its exit code', async () => {
    const container = await start({ module: counter, volume: newFolder(published) })
    await container.says(ready)
    await container.killServer()
    expect(await container.ended).toBe(137)
    expect(container.log()).toContain('the server ended with exit code 137')
  })

  test('ends it when it does not start', async () => {
    const { code, log } = await end({ module: counter, volume: newFolder() }, '--no-such-flag')
    expect(code).toBe(2)
    expect(log).toContain("unexpected argument '--no-such-flag'")
  })

  test('is given up when it never answers, and when it does not end', async () => {
    const programs = programsWith(
      'spacetimedb-standalone',
      "trap 'echo deaf to TERM' TERM\nfor i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1; done"
    )
    const environment = { SPACETIMEDB_PROGRAM_DIR: programs, SPACETIMEDB_START_TIMEOUT: '1' }
    const { code, log } = await end({ module: counter, volume: newFolder(), environment })
    expect(code).toBe(1)
    expect(log).toContain('the server did not answer on http://127.0.0.1:')
    expect(log).toContain('the server has ended with exit code 137')
  })
})

test('RUST_LOG goes into the configuration of the server, unless that is the own one of the user', async () => {
  const volume = newFolder(published)
  const configuration = join(volume, 'config.toml')
  const content = () => parse(readFileSync(configuration, 'utf8'))
  await serve({ module: counter, volume, environment: { RUST_LOG: 'info,spacetimedb=debug' } })
  expect(content()).toEqual({ logs: { directives: ['info,spacetimedb=debug'] } })
  await serve({ module: counter, volume })
  expect(existsSync(configuration)).toBe(false)
  writeFileSync(configuration, '[logs]\nlevel = "WARN"\n')
  const log = await serve({ module: counter, volume, environment: { RUST_LOG: 'info' } })
  expect(log).toContain('RUST_LOG has no effect')
  expect(content()).toEqual({ logs: { level: 'WARN' } })
})

describe('a wrong setting', () => {
  const wrong: [environment: Record<string, string>, says: string][] = [
    [{ SPACETIMEDB_DATABASE: '' }, 'SPACETIMEDB_DATABASE is not set'],
    [{ SPACETIMEDB_DATABASE: 'My Game' }, 'SPACETIMEDB_DATABASE is "My Game"'],
    [{ SPACETIMEDB_DATABASE: '../game' }, 'SPACETIMEDB_DATABASE is "../game"'],
    [{ SPACETIMEDB_LISTEN_ADDR: '3000' }, 'such as 0.0.0.0:3000'],
    [{ SPACETIMEDB_LISTEN_ADDR: '0.0.0.0:http' }, 'such as 0.0.0.0:3000'],
    [{ SPACETIMEDB_LISTEN_ADDR: '$(id):1' }, 'such as 0.0.0.0:3000'],
    [{ STRICT: 'true' }, 'STRICT is "true": it can be 0 or 1'],
    [{ ALLOW_DOWNGRADE: 'yes' }, 'ALLOW_DOWNGRADE is "yes": it can be 0 or 1'],
    [{ RUST_LOG: 'info"]' }, 'RUST_LOG is "info"]"'],
    [{ LOG_FORMAT: 'xml' }, 'LOG_FORMAT is "xml": it can be text or json'],
    [{ SPACETIMEDB_STOP_TIMEOUT: '5s' }, 'SPACETIMEDB_STOP_TIMEOUT is "5s"'],
    [{ SPACETIMEDB_MODULE_DIR: '/nowhere' }, 'the image was built without a module'],
    [{ SPACETIMEDB_DATA_DIR: '/dev/null/data' }, "/dev/null/data can't be written by uid"]
  ]

  test.each(wrong)('%j ends it before the server starts', async (environment, says) => {
    const { code, log } = await end({ module: counter, volume: newFolder(), environment })
    expect(log).toContain(says)
    expect(log.trimEnd().split('\n')).toHaveLength(1)
    expect(code).toBe(2)
  })

  test('is a command that it has not', async () => {
    const { code, log } = await end({ module: counter, volume: newFolder() }, 'bash')
    expect(log).toContain('"bash" is no command of this image')
    expect(code).toBe(2)
  })

  test('is a second module', async () => {
    const module = imageWith('counter.wasm')
    writeFileSync(join(module, 'module.js'), '')
    expect((await end({ module, volume: newFolder() })).log).toContain('holds both module.wasm and module.js')
  })
})

test('logs JSON when told to, with whatever the CLI says', async () => {
  const image = imageWith(Buffer.from('"quoted" \\ \n'))
  const { code, log } = await end({ module: image, volume: newFolder(), environment: { LOG_FORMAT: 'json' } })
  expect(code).toBe(1)
  const own = log.split('\n').filter((line) => line.includes('stdb-entrypoint'))
  const records = own.map((line) => JSON.parse(line) as { level: string; message: string })
  expect(records[0]).toMatchObject({ level: 'info', message: expect.stringContaining('starting the server') })
  expect(records.map(({ message }) => message)).toContainEqual(expect.stringContaining('Error: '))
})
