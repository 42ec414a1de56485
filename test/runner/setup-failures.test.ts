import { createHash } from 'node:crypto'
import { describe, expect, jest, test } from '@jest/globals'
import { releaseArchive } from '../stand-ins/archives.ts'
import { rateLimitFault } from '../stand-ins/internet-fault.ts'
import { cargoProject, type SetupOptions, setUp } from './setup-stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(120_000)

const { digest, bytes } = await releaseArchive('2.8.3', 'x86_64-unknown-linux-gnu')
const sha256 = digest.replace('sha256:', '')
const otherSha256 = 'ab'.repeat(32)
const version = '2.8.3'

type BadSetup = SetupOptions & {
  readonly title: string
  /** Of the annotation. */
  readonly kind?: string
  readonly says: readonly RegExp[]
  /** How often files were asked for. */
  readonly downloads?: number
}

/** One error and nothing else, and nothing left on the machine. */
async function expectOneError({ title: _, kind, says, downloads, ...options }: BadSetup): Promise<void> {
  const { main, post, internet } = await setUp(options)
  const errors = main.annotations.filter(({ level }) => level === 'error')
  expect(errors).toHaveLength(1)
  for (const part of says) expect(errors[0]?.message).toMatch(part)
  if (kind) expect(errors[0]?.title).toBe(`setup-spacetimedb: ${kind}`)
  expect(main).toMatchObject({ exitCode: 1, outputs: {}, path: [], leftProcesses: false })
  expect(main.files.filter((file) => !file.startsWith('workspace/'))).toEqual([])
  expect(post).toMatchObject({ exitCode: 0, annotations: [] })
  if (downloads !== undefined) {
    expect(internet.requests.filter(({ path }) => /\.tar\.gz/.test(path) && !/sig=/.test(path))).toHaveLength(downloads)
  }
}

describe('the download', () => {
  test.concurrent.each<BadSetup>([
    {
      title: 'is another file: both digests are named, and nobody else is asked',
      inputs: { version },
      faults: [{ host: /assets/, fault: { kind: 'corrupt' } }],
      kind: 'wrong digest',
      says: [
        /from https:\/\/github\.com\/.*was not run/,
        new RegExp(`Expected: ${sha256}`),
        /releases API/,
        /Found: +[0-9a-f]{64}/
      ],
      downloads: 1
    },
    {
      title: 'is another file than the user says',
      inputs: { version, sha256: otherSha256 },
      kind: 'wrong digest',
      says: [new RegExp(`Expected: ${otherSha256}`), /input `sha256`/, new RegExp(`Found: +${sha256}`)],
      downloads: 1
    },
    {
      title: "is another file on a company's mirror",
      inputs: { version, 'releases-url': 'https://files.example/s' },
      faults: [{ host: 'files.example', fault: { kind: 'corrupt' } }],
      kind: 'wrong digest',
      says: [/https:\/\/files\.example\/s\/v2\.8\.3\//, /Expected/],
      downloads: 1
    },
    {
      title: 'is truncated each time, everywhere',
      inputs: { version },
      faults: [{ host: /assets|s3/, fault: { kind: 'cut' } }],
      kind: 'nothing could be downloaded',
      says: [
        /- https:\/\/github\.com.*truncated.*of \d+ bytes/,
        /- https:\/\/spacetimedb-client.*truncated/,
        /`releases-url`/
      ],
      downloads: 8
    },
    {
      title: 'is nowhere to be had',
      inputs: { version, sha256 },
      faults: [{ host: /./, fault: { kind: 'down' } }],
      kind: 'nothing could be downloaded',
      says: [
        /- https:\/\/github\.com.*no connection to github\.com/,
        /- https:\/\/spacetimedb-client/,
        /is there a release 2\.8\.3/i
      ]
    },
    {
      title: "is not on a company's mirror",
      inputs: { version: '2.8.2', sha256, 'releases-url': 'https://files.example/s' },
      kind: 'nothing could be downloaded',
      says: [/404: there is no such file/, /`<releases-url>\/v<version>\/<file>`/],
      downloads: 1
    }
  ])('$title', expectOneError)
})

describe('GitHub', () => {
  test.concurrent.each<BadSetup>([
    {
      title: 'has no such version',
      inputs: { version: '9.9.9' },
      kind: 'version not found',
      says: [/no release 9\.9\.9/, /404/, /among others, 2\.8\.3/],
      downloads: 0
    },
    {
      title: 'has nothing in the range',
      inputs: { version: '^9' },
      kind: 'version not found',
      says: [/in the range \^9/, /There are 2\.8\.3/],
      downloads: 0
    },
    {
      title: 'has no file for this platform',
      inputs: { version },
      internet: { releases: [{ version, assets: ['spacetime-aarch64-apple-darwin.tar.gz'] }] },
      kind: 'version not found',
      says: [/has no spacetime-.*linux.*Its files: spacetime-aarch64-apple-darwin\.tar\.gz/],
      downloads: 0
    },
    {
      title: 'states no digest',
      inputs: { version },
      internet: { releases: [{ version, digests: false }] },
      kind: 'wrong configuration',
      says: [/digest of spacetime-.* 2\.8\.3 is not known/, /nothing is run unchecked/, /input `sha256`/],
      downloads: 0
    },
    {
      title: 'takes no more requests',
      inputs: { version },
      faults: [{ host: 'api.github.com', fault: rateLimitFault(Math.floor(Date.now() / 1000) + 900) }],
      kind: 'wrong configuration',
      says: [/rate limit/, /again at \d{4}-\d\d-\d\dT.*in 1[45] min/, /`sha256`/],
      downloads: 0
    },
    {
      title: 'takes no more requests of nobody',
      inputs: { version: 'latest', 'github-token': '' },
      internet: { anonymousLimit: 0 },
      kind: 'version not found',
      says: [/newest could not be found out/, /rate limit/, /`github-token`/],
      downloads: 0
    },
    {
      title: 'does not know the token',
      inputs: { version, 'github-token': 'ghp_of_somebody_else' },
      secrets: () => ['ghp_of_somebody_else'],
      says: [/does not know the token \(401.*`github-token`/],
      downloads: 0
    },
    {
      title: 'is not there: no network',
      inputs: { version: 'latest' },
      faults: [{ host: /./, fault: { kind: 'down' } }],
      kind: 'version not found',
      says: [/newest could not be found out.*no connection to api\.github\.com/, /exact `version`/]
    },
    {
      title: 'is a page of a proxy',
      inputs: { version },
      faults: [{ host: 'api.github.com', fault: { kind: 'answer', status: 200, body: '<html>Log in</html>' } }],
      says: [/GitHub's answer to .* has an unknown shape/, /proxy/],
      downloads: 0
    }
  ])('$title', expectOneError)
})

describe('the release', () => {
  test.concurrent('is no archive', async () => {
    const junk = Buffer.from('no archive')
    const known = createHash('sha256').update(junk).digest('hex')
    await expectOneError({
      title: '',
      inputs: { version, sha256: known, 'releases-url': 'https://files.example' },
      internet: { hosts: { 'files.example': () => ({ status: 200, headers: {}, body: junk }) } },
      kind: 'unusable release',
      says: [/can't be extracted/]
    })
  })
  test.concurrent('is of another version than it says', async () => {
    await expectOneError({
      title: '',
      inputs: { version: '2.8.4', sha256, 'releases-url': 'https://files.example' },
      internet: { hosts: { 'files.example': () => ({ status: 200, headers: {}, body: bytes }) } },
      kind: 'unusable release',
      says: [/spacetimedb-cli in it says that it is 2\.8\.3, not 2\.8\.4/]
    })
  })
})

describe('the inputs', () => {
  test.concurrent.each<BadSetup>([
    { title: 'no project', says: [/No module project was found/, /spacetimedb/] },
    {
      title: 'a path that is not there',
      inputs: { path: 'sever' },
      files: cargoProject(version),
      says: [/sever/, /does not exist/]
    },
    {
      title: 'a project that does not tell',
      files: { 'spacetimedb/CMakeLists.txt': '' },
      says: [/C\+\+/, /`version`/]
    },
    {
      title: 'modules for several versions',
      files: {
        ...cargoProject('2.8.3', 'one'),
        ...cargoProject('2.8.2', 'two'),
        'spacetime.json': JSON.stringify({
          database: 'one',
          'module-path': 'one',
          children: [{ database: 'two', 'module-path': 'two' }]
        })
      },
      says: [/several versions/, /one\/Cargo\.lock has spacetimedb 2\.8\.3; two\/Cargo\.lock has spacetimedb 2\.8\.2/]
    },
    {
      title: 'a version that is none',
      inputs: { version: 'newest' },
      says: [/`version`/, /newest/, /`latest`/, /`\^2\.8`/]
    },
    { title: 'a digest that is none', inputs: { version, sha256: 'abc' }, says: [/`sha256`/, /64 hex/] },
    { title: 'a mirror that is none', inputs: { version, 'releases-url': 'files' }, says: [/`releases-url`/, /https/] },
    {
      title: 'a mirror with a password',
      inputs: { version, 'releases-url': 'https://me:pass@files.example' },
      says: [/`releases-url`/, /without user/]
    },
    { title: 'a truth that is none', inputs: { version, start: 'yes' }, says: [/`start`/, /`true` or `false`/] },
    {
      title: 'a server without a token',
      inputs: { version, server: 'maincloud' },
      says: [/`server` and `token` go together/]
    },
    {
      title: 'a token without a server',
      inputs: { version, token: 'secret-of-mine' },
      secrets: () => ['secret-of-mine'],
      says: [/`server` and `token` go together/]
    },
    {
      title: 'two servers',
      inputs: { version, start: 'true', server: 'maincloud', token: 'secret-of-mine' },
      secrets: () => ['secret-of-mine'],
      says: [/`start: true`/, /leave out/]
    },
    {
      title: 'a token that is none',
      inputs: { version, server: 'maincloud', token: 'secret-of-mine' },
      secrets: () => ['secret-of-mine'],
      says: [/`token`/, /JSON Web Token/],
      downloads: 0
    },
    {
      title: 'a token over plain http',
      inputs: { version, server: 'http://stdb.example.org', token: 'secret-of-mine' },
      secrets: () => ['secret-of-mine'],
      says: [/unencrypted/, /`allow-insecure: true`/],
      downloads: 0
    }
  ])('$title', expectOneError)
})
