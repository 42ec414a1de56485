import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ConfigurationError } from '../../src/errors.ts'
import type { Credential } from '../../src/image/oci/authorization.ts'
import { fetchArtifact, pushModule } from '../../src/image/oci/module-artifact.ts'
import { formatReference, parseReference } from '../../src/image/oci/reference.ts'
import { openRegistry } from '../../src/image/oci/registry.ts'
import { loadModule } from '../../src/module/load.ts'
import { fixturePath } from '../fixtures.ts'
import { temporaryFolders } from '../setup/folders.ts'
import { hastyNetwork } from '../setup/http-server.ts'
import { registryUser as user } from '../stand-ins/registry.ts'
import { type RunningRegistry, registryProgram, startRegistryProgram } from './registry-program.ts'

const makeFolder = temporaryFolders()
const found = registryProgram()

if ('missing' in found) {
  test.skip(`a real registry: not tried, ${found.missing}`, () => {})
} else {
  describe.each(['none', 'basic', 'token'] as const)(`${found.version}, login: %s`, (login) => testRegistry(login))
}

function testRegistry(login: 'none' | 'basic' | 'token'): void {
  let server: RunningRegistry
  beforeAll(async () => {
    server = await startRegistryProgram(makeFolder(), login)
  })
  afterAll(() => server?.close())

  const open = (credential: Credential | undefined) => {
    return openRegistry({ host: server.host, credential, network: hastyNetwork(), onSecret: () => {} })
  }
  const repository = 'octocat/game'
  const origin = { created: '2026-01-31T12:00:00Z', version: '1.0.0' }

  test('a module comes back as it was pushed, by tag and by digest', async () => {
    const module = await loadModule(fixturePath('modules/counter.wasm'))
    const pushed = await pushModule(open(user), { repository, tag: '1.0.0', module, origin })
    expect(await pushModule(open(user), { repository, tag: '1.0.0', module, origin })).toEqual(pushed)
    const byTag = formatReference({ host: server.host, repository, tag: '1.0.0' })
    for (const name of [pushed.reference, byTag]) {
      const fetched = await fetchArtifact(open(user), parseReference(name))
      expect(fetched).toMatchObject({ ...pushed, origin: { ...origin, title: 'module.wasm' } })
      expect(fetched.module).toMatchObject({ hash: module.hash, kind: 'wasm' })
      expect(Buffer.from(fetched.module.bytes).equals(module.bytes)).toBe(true)
    }
  })

  test('a tag moves, and the digest of before stays', async () => {
    const before = await loadModule(fixturePath('modules/counter.wasm'))
    const after = await loadModule(fixturePath('modules/counter-additive.wasm'))
    const first = await pushModule(open(user), { repository, tag: 'next', module: before })
    const second = await pushModule(open(user), { repository, tag: 'next', module: after })
    const fetch = async (name: string) => (await fetchArtifact(open(user), parseReference(name))).module.hash
    expect(await fetch(`${server.host}/${repository}:next`)).toBe(after.hash)
    expect(await fetch(first.reference)).toBe(before.hash)
    expect(await fetch(second.reference)).toBe(after.hash)
  })

  test('what is not there is said', async () => {
    const fetched = fetchArtifact(open(user), parseReference(`${server.host}/octocat/nothing:1`))
    await expect(fetched).rejects.toThrow(`There is no ${server.host}/octocat/nothing:1`)
  })

  if (login === 'none') return

  test('nobody may push, and a wrong password may not either', async () => {
    const module = await loadModule(fixturePath('modules/counter.wasm'))
    for (const [credential, message] of [
      [undefined, /Nobody is logged in/],
      [{ ...user, password: 'wrong' }, /username|login may not/]
    ] as const) {
      const pushed = pushModule(open(credential), { repository: 'octocat/other', module })
      await expect(pushed).rejects.toThrow(ConfigurationError)
      await expect(pushed).rejects.toThrow(message)
    }
  })
}
