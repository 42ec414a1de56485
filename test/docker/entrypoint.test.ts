import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { fixtureModule } from '../fixtures.ts'
import { cleanUp, entrypoint, install, newFolder, programsWith, start } from './entrypoint-run.ts'
import {
  additive,
  counter,
  end,
  expectLive,
  ownersToken,
  publishedVolume,
  ready,
  rows,
  serve
} from './entrypoint-served.ts'
import { isInstalled, run } from './running.ts'

// What keeps data and modules safe; formats, settings and further cases are in entrypoint.long.ts.

/** Other work may keep the machine busy. */
jest.setTimeout(90_000)

let published = ''
let kept: unknown[][] = []

beforeAll(async () => {
  await install()
  ;({ volume: published, kept } = await publishedVolume())
})

afterAll(cleanUp)

const record = (volume: string, file: string) => join(volume, 'stdb-image/databases/game', file)
const read = (volume: string, file: string) => readFileSync(record(volume, file), 'utf8')

function sha256(module: string): string {
  return createHash('sha256').update(fixtureModule(module)).digest('hex')
}

const hangingPublish = `case " $* " in *' publish '*) exec sleep 60;; esac\nexec "$programs/spacetimedb-cli" "$@"`

describe('with an empty volume', () => {
  test('makes an owner, publishes, and is healthy only then', async () => {
    const volume = newFolder()
    const container = await start({ module: counter, volume })
    expect(await container.health()).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('starting') })
    await container.says(ready)
    await expectLive(container.url, 'counter.wasm')
    expect(await container.health()).toMatchObject({ exitCode: 0, stdout: 'online; module: published\n' })
    expect(statSync(join(volume, 'stdb-image/cli.toml')).mode & 0o777).toBe(0o600)
    expect(statSync(join(volume, 'stdb-image/keys/id_ecdsa')).mode & 0o777).toBe(0o600)
    expect(await container.stop('SIGTERM')).toBe(0)
    expect(container.log()).toContain('Shutting down server...')
    expect(ownersToken(volume)).toMatch(/^eyJ/)
    expect(container.log()).not.toContain(ownersToken(volume))
    expect((await container.health()).exitCode).toBe(1)
  })

  test("ends when the owner's token could not be kept", async () => {
    const programs = programsWith(
      'spacetimedb-cli',
      `case " $* " in
  *' login '*) echo 'Logged in with identity c200'; echo 'Could not save config file: No space left on device' >&2;;
  *) exec "$programs/spacetimedb-cli" "$@";;
esac`
    )
    const environment = { SPACETIMEDB_PROGRAM_DIR: programs }
    const { code, log } = await end({ module: counter, volume: newFolder(), environment })
    expect(log).toContain("could not get a token for the database's owner and keep it in")
    expect(log).toContain('Could not save config file: No space left on device')
    expect(code).toBe(1)
  })
})

describe('with a volume from before', () => {
  test('changes nothing for the same module, and keeps data, owner and the volume for itself', async () => {
    const volume = newFolder(published)
    const owner = ownersToken(volume)
    const log = await serve({ module: counter, volume }, async (url) => {
      expect(await rows(url, 'SELECT * FROM counter')).toEqual(kept)
      expect(await end({ module: counter, volume })).toEqual({
        code: 2,
        log: expect.stringContaining(`another container uses ${volume}`)
      })
    })
    expect(log).toContain('unchanged: game runs sha256:')
    expect(log).not.toContain('publishing')
    expect(ownersToken(volume)).toBe(owner)
  })

  test('publishes what a stop has cut off, and refuses the older image afterwards', async () => {
    const volume = newFolder(published)
    const environment = { SPACETIMEDB_PROGRAM_DIR: programsWith('spacetimedb-cli', hangingPublish) }
    const cut = await start({ module: additive, volume, environment })
    await cut.says(/publishing sha256:/)
    expect(await cut.stop()).toBe(0)
    expect(read(volume, 'publishing')).toContain(sha256('counter-additive.wasm'))
    expect(read(volume, 'published')).toBe(read(published, 'published'))

    const newer = await serve({ module: additive, volume }, (url) => expectLive(url, 'counter-additive.wasm'))
    expect(newer).toContain('published sha256:')
    expect(existsSync(record(volume, 'publishing'))).toBe(false)

    const older = await start({ module: counter, volume })
    await older.says(ready)
    expect(older.log()).toContain('refused: this image is older than the database')
    await expectLive(older.url, 'counter-additive.wasm')
    expect(await older.health()).toMatchObject({ exitCode: 0, stdout: 'online; module: refused\n' })
    expect(await older.stop('SIGINT')).toBe(0)
  })

  test('leaves a module that it did not publish', async () => {
    const volume = newFolder(published)
    writeFileSync(record(volume, 'published'), `${sha256('counter.wasm')} 0x${'7'.repeat(64)} 2026-01-01T00:00:00Z\n`)
    const log = await serve({ module: counter, volume }, (url) => expectLive(url, 'counter.wasm'))
    expect(log).toContain('refused: game runs another module than the one this image published')
  })

  test('makes no second owner', async () => {
    const volume = newFolder(published)
    rmSync(join(volume, 'stdb-image/cli.toml'))
    const log = await serve({ module: additive, volume }, (url) => expectLive(url, 'counter.wasm'))
    expect(log).toContain("refused: the owner's token is missing: restore stdb-image/cli.toml")
    expect(existsSync(join(volume, 'stdb-image/cli.toml'))).toBe(false)
  })
})

describe('a publish whose end was not seen', () => {
  test('is not noted while the live module is unknown', async () => {
    const volume = newFolder(published)
    const programs = programsWith(
      'spacetimedb-cli',
      `case " $* " in
  *' publish '*) touch "$0.was-run";;
  *' sql '*) if [ -e "$0.was-run" ]; then echo 'Error: error sending request' >&2; exit 1; fi;;
esac
exec "$programs/spacetimedb-cli" "$@"`
    )
    const environment = { SPACETIMEDB_PROGRAM_DIR: programs }
    const log = await serve({ module: additive, volume, environment }, (url) =>
      expectLive(url, 'counter-additive.wasm')
    )
    expect(log).toContain('which module game now runs could not be found out: the next start looks')
    expect(read(volume, 'publishing')).toContain(sha256('counter-additive.wasm'))
    expect(read(volume, 'published')).toBe(read(published, 'published'))
  })

  test('happens again when another module is live than before it, whosever that is', async () => {
    const volume = newFolder(published)
    writeFileSync(record(volume, 'publishing'), `${sha256('counter-additive.wasm')} 0x${'7'.repeat(64)}\n`)
    const log = await serve({ module: additive, volume }, (url) => expectLive(url, 'counter-additive.wasm'))
    expect(log).toContain('that was cut off may have gone through')
    expect(log).toContain('published sha256:')
    const [, , last] = read(volume, 'published').split('\n')
    expect(last).toMatch(new RegExp(`^${sha256('counter-additive.wasm')} \\w{30,} `))
  })

  test('leaves no trace when its note is damaged', async () => {
    const volume = newFolder(published)
    writeFileSync(record(volume, 'publishing'), '')
    const log = await serve({ module: counter, volume })
    expect(log).toContain('publishing is damaged, and removed')
    expect(log).toContain('unchanged')
    expect(existsSync(record(volume, 'publishing'))).toBe(false)
    expect(read(volume, 'published')).toBe(read(published, 'published'))
  })

  test('may still happen after its time', async () => {
    const volume = newFolder(published)
    const programs = programsWith('spacetimedb-cli', hangingPublish)
    const environment = { SPACETIMEDB_PROGRAM_DIR: programs, SPACETIMEDB_PUBLISH_TIMEOUT: '1' }
    const log = await serve({ module: additive, volume, environment }, (url) => expectLive(url, 'counter.wasm'))
    expect(log).toContain('refused: publishing did not end within 1 s (SPACETIMEDB_PUBLISH_TIMEOUT)')
    expect(log).not.toContain('was not published')
    expect(read(volume, 'publishing')).toContain(sha256('counter-additive.wasm'))
  })

  test('is not begun when its note can not be written, and the server ends in order', async () => {
    const volume = newFolder(published)
    symlinkSync('/dev/full', record(volume, 'publishing.new'))
    const { code, log } = await end({ module: additive, volume })
    expect(log).toContain(`could not write to ${volume} (is the volume full?)`)
    expect(log).toContain('Shutting down server...')
    expect(log).not.toContain('publishing sha256:')
    expect(code).toBe(1)
    expect(read(volume, 'published')).toBe(read(published, 'published'))
  })
})

const hasShellcheck = await isInstalled('shellcheck')
const checked = hasShellcheck ? test : test.skip

checked('shellcheck has no complaint (skipped where it is not installed)', async () => {
  expect(await run('shellcheck', [entrypoint])).toMatchObject({ exitCode: 0, stdout: '' })
})
