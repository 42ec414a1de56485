import { execFileSync } from 'node:child_process'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { keepSecrets } from '../../src/image/build-secrets.ts'
import { addSources, makeContext } from '../../src/image/context.ts'
import { knownLogin, makeDockerConfig, readDockerConfig } from '../../src/image/registry-login.ts'
import { moduleFromBytes } from '../../src/module/load.ts'
import { runProgram } from '../../src/process.ts'
import { fixtureModule } from '../fixtures.ts'

const root = mkdtempSync(join(tmpdir(), 'image-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folders = 0
const newFolder = () => join(root, String(++folders))

test('the same parts make the same context', async () => {
  const entrypoint = join(root, 'start.sh')
  writeFileSync(entrypoint, '#!/bin/sh\n')
  const parts = { module: moduleFromBytes(fixtureModule('counter.wasm')), manifest: '{}\n', entrypoint }
  const [one, two] = [newFolder(), newFolder()]
  expect(await makeContext(one, parts, 1700000000)).toEqual(['entrypoint.sh', 'manifest.json', 'module.wasm'])
  await makeContext(two, parts, 1700000000)
  const seen = (folder: string) =>
    readdirSync(folder).map((name) => {
      const { mode, mtimeMs } = statSync(join(folder, name))
      return { name, mode: mode & 0o777, mtimeMs, content: readFileSync(join(folder, name), 'hex') }
    })
  expect(seen(one)).toEqual(seen(two))
  expect(seen(one).map(({ mode, mtimeMs }) => ({ mode, mtimeMs }))).toEqual([
    { mode: 0o755, mtimeMs: 1700000000000 },
    { mode: 0o644, mtimeMs: 1700000000000 },
    { mode: 0o644, mtimeMs: 1700000000000 }
  ])
})

test('the modes of a context are the same whatever the machine cuts of them', async () => {
  const entrypoint = join(root, 'masked.sh')
  writeFileSync(entrypoint, '#!/bin/sh\n')
  const folder = newFolder()
  const before = process.umask(0o077)
  try {
    await makeContext(folder, { module: undefined, manifest: '{}\n', entrypoint }, 0)
  } finally {
    process.umask(before)
  }
  const modes = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mode & 0o777])
  expect(modes).toEqual([
    ['entrypoint.sh', 0o755],
    ['manifest.json', 0o644]
  ])
})

describe('sources for an image that builds the module', () => {
  const environment = { PATH: process.env.PATH, HOME: root, GIT_CONFIG_NOSYSTEM: '1' }
  const repositoryAt = (folder: string) => ({ run: runProgram, folder, environment })
  const git = (folder: string, ...args: string[]) => execFileSync('git', args, { cwd: folder, env: environment })
  const write = (folder: string, name: string, content: string) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }

  test('are what Git tracks, as it is now', async () => {
    const [repository, context] = [newFolder(), newFolder()]
    const tracked = ['server/Cargo.toml', 'server/src/target/mod.rs', 'server/src/Ünï code.rs', 'gone.rs']
    for (const name of [...tracked, 'server/target/release/old', 'gha-creds-1.json', '.env']) {
      write(repository, name, name)
    }
    symlinkSync('server/Cargo.toml', join(repository, 'link'))
    git(repository, 'init', '--quiet')
    git(repository, 'add', '--', ...tracked, 'link')
    rmSync(join(repository, 'gone.rs'))
    write(repository, 'server/Cargo.toml', 'edited')
    await addSources(context, repositoryAt(repository))
    const source = join(context, 'source')
    const files = readdirSync(source, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory())
    expect(files.map(({ parentPath, name }) => relative(source, join(parentPath, name))).sort()).toEqual([
      'link',
      'server/Cargo.toml',
      'server/src/target/mod.rs',
      'server/src/Ünï code.rs'
    ])
    expect(readFileSync(join(source, 'server/Cargo.toml'), 'utf8')).toBe('edited')
    expect(readlinkSync(join(source, 'link'))).toBe('server/Cargo.toml')
  })

  test('have to be in a repository', async () => {
    const folder = newFolder()
    write(folder, 'Cargo.toml', '')
    await expect(addSources(newFolder(), repositoryAt(folder))).rejects.toThrow(
      /files that Git tracks.*actions\/checkout/
    )
  })
})

test('a release without the entrypoint says so', async () => {
  const module = moduleFromBytes(fixtureModule('counter.wasm'))
  const parts = { module, manifest: undefined, entrypoint: join(root, 'missing.sh') }
  await expect(makeContext(newFolder(), parts, 0)).rejects.toThrow(/missing\.sh can't be read.*release's tag/)
})

describe("docker's configuration", () => {
  test('is for this user alone, and keeps what builders need', async () => {
    const [own, folder] = [newFolder(), newFolder()]
    for (const name of ['cli-plugins', 'buildx', 'contexts', 'trust']) mkdirSync(join(own, name), { recursive: true })
    writeFileSync(
      join(own, 'config.json'),
      JSON.stringify({ currentContext: 'remote', auths: { 'a.example': { auth: 'eA==' } } })
    )
    await makeDockerConfig(folder, await readDockerConfig(own), 'ghcr.io')
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder, 'config.json')).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder).sort()).toEqual(['buildx', 'cli-plugins', 'config.json', 'contexts'])
    expect(lstatSync(join(folder, 'buildx')).isSymbolicLink()).toBe(true)
    expect(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))).toEqual({
      currentContext: 'remote',
      auths: { 'a.example': { auth: 'eA==' }, 'ghcr.io': {} },
      credHelpers: {}
    })
  })

  test('never stores a login outside of its folder', async () => {
    const [own, folder] = [newFolder(), newFolder()]
    mkdirSync(own)
    const given = {
      credsStore: 'desktop',
      credHelpers: { 'ghcr.io': 'gh' },
      auths: { 'https://index.docker.io/v1/': {} }
    }
    writeFileSync(join(own, 'config.json'), JSON.stringify(given))
    const config = await readDockerConfig(own)
    await makeDockerConfig(folder, config, 'ghcr.io')
    expect(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))).toEqual({
      auths: { 'https://index.docker.io/v1/': {}, 'ghcr.io': {} },
      credHelpers: { 'https://index.docker.io/v1/': 'desktop' }
    })
  })

  test.each([
    { config: {}, registry: 'ghcr.io', known: { kind: 'none' } },
    { config: { auths: { 'ghcr.io': {} } }, registry: 'ghcr.io', known: { kind: 'none' } },
    { config: { auths: { 'r.example': { auth: btoa('ada:a:b') } } }, registry: 'ghcr.io', known: { kind: 'none' } },
    {
      config: { auths: { 'r.example': { auth: btoa('ada:a:b') } } },
      registry: 'r.example',
      known: { kind: 'login', credential: { username: 'ada', password: 'a:b' } }
    },
    {
      config: { auths: { 'https://index.docker.io/v1/': { auth: btoa('ada:pw') } } },
      registry: 'docker.io',
      known: { kind: 'login', credential: { username: 'ada', password: 'pw' } }
    },
    { config: { credHelpers: { 'ghcr.io': 'gh' } }, registry: 'ghcr.io', known: { kind: 'hidden' } },
    { config: { credsStore: 'desktop', auths: { 'ghcr.io': {} } }, registry: 'ghcr.io', known: { kind: 'hidden' } },
    {
      config: { auths: { 'r.example': { auth: btoa('ada:'), identitytoken: 'x' } } },
      registry: 'r.example',
      known: { kind: 'hidden' }
    }
  ])('know of $registry, in $config: $known.kind', async ({ config, registry, known }) => {
    const own = newFolder()
    mkdirSync(own)
    writeFileSync(join(own, 'config.json'), JSON.stringify(config))
    expect(knownLogin(await readDockerConfig(own), registry)).toEqual(known)
  })

  test('need not be there, but has to be one', async () => {
    const own = newFolder()
    expect((await readDockerConfig(own)).config).toEqual({})
    mkdirSync(own)
    writeFileSync(join(own, 'config.json'), 'nonsense')
    await expect(readDockerConfig(own)).rejects.toThrow(/config\.json is no configuration of docker/)
  })
})

describe('build secrets', () => {
  test('go into files of this user alone', async () => {
    const folder = newFolder()
    const secrets = await keepSecrets(
      { values: [['token', 'hunter2']], variables: [['key', 'KEY']], files: [['cert', 'certs/a.pem']] },
      folder
    )
    expect(secrets).toEqual([
      { id: 'token', from: { file: join(folder, 'token') } },
      { id: 'key', from: { env: 'KEY' } },
      { id: 'cert', from: { file: 'certs/a.pem' } }
    ])
    expect(readFileSync(join(folder, 'token'), 'utf8')).toBe('hunter2')
    expect(statSync(join(folder, 'token')).mode & 0o777).toBe(0o600)
  })

  test.each([
    { values: [['a', '1']], variables: [['a', 'A']], says: /`a` is given twice/ },
    { values: [['../a', '1']], variables: [], says: /id of a build secret/ }
  ] as const)('$says', async ({ values, variables, says }) => {
    await expect(keepSecrets({ values, variables, files: [] }, newFolder())).rejects.toThrow(says)
  })
})
