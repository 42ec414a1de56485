import { describe, expect, test } from '@jest/globals'
import { ConfigurationError } from '../../../src/errors.ts'
import { RegistryFailure } from '../../../src/image/oci/failures.ts'
import { fetchModule, pushModule } from '../../../src/image/oci/module-artifact.ts'
import { parseReference } from '../../../src/image/oci/reference.ts'
import { openRegistry } from '../../../src/image/oci/registry.ts'
import type { Answer, Request, Transport } from '../../../src/spacetimedb/transport.ts'
import { createTransport } from '../../../src/spacetimedb/transport.ts'
import { hastyNetwork } from '../../setup/http-server.ts'
import { registryUser, type SeenRequest } from '../../stand-ins/registry.ts'
import { module, open, registries } from './registries.ts'

const start = registries()
const repository = 'octocat/game'
const basic = Buffer.from(`${registryUser.username}:${registryUser.password}`).toString('base64')

describe('the credential', () => {
  test('goes to what gives tokens, the token to the registry, and neither to storage', async () => {
    const { server, registry, secrets } = await start({ login: 'bearer', redirects: true }, registryUser)
    const { reference } = await pushModule(registry, { repository, module })
    await pushModule(registry, { repository, tag: 'v1', module })
    await fetchModule(registry, parseReference(reference))
    const tokens = [...server.contents.tokens.keys()]
    const authorizations = (seen: readonly SeenRequest[]) => [
      ...new Set(seen.map(({ headers }) => headers.authorization))
    ]
    expect(authorizations(server.seen.tokens)).toEqual([`Basic ${basic}`])
    expect(authorizations(server.seen.registry)).toEqual([undefined, ...tokens.map((token) => `Bearer ${token}`)])
    expect(server.seen.storage.length).toBeGreaterThan(0)
    expect(authorizations(server.seen.storage)).toEqual([undefined])
    expect(secrets).toEqual([registryUser.password, basic, ...tokens])
  })

  test('is asked for a token once for all that is pushed, and once for all that is fetched', async () => {
    const { server, registry } = await start({ login: 'bearer' }, registryUser)
    const { reference } = await pushModule(registry, { repository, module })
    await fetchModule(registry, parseReference(reference))
    const scopes = server.seen.tokens.map(({ path }) => new URL(path, 'http://x').searchParams.getAll('scope'))
    expect(scopes).toEqual([[`repository:${repository}:pull,push`], [`repository:${repository}:pull`]])
    expect(server.seen.tokens[0]?.path).toContain('service=stand-in')
  })

  test('gives another token when the first has expired', async () => {
    const { server, registry } = await start({ login: 'bearer' }, registryUser)
    await pushModule(registry, { repository, module })
    server.contents.tokens.clear()
    const { reference } = await pushModule(registry, { repository, module, origin: { version: '2' } })
    expect(server.seen.tokens).toHaveLength(2)
    expect(await fetchModule(registry, parseReference(reference))).toMatchObject({ hash: module.hash })
  })

  test('is not needed to fetch what is public', async () => {
    const { server, registry } = await start({ login: 'bearer' }, registryUser)
    const { reference } = await pushModule(registry, { repository, module })
    expect(await fetchModule(open(server.host).registry, parseReference(reference))).toMatchObject({
      hash: module.hash
    })
    expect(server.seen.tokens.at(-1)?.headers.authorization).toBeUndefined()
  })

  test('a token that could not be had is asked for again', async () => {
    const { server, registry, retries } = await start({ login: 'bearer' }, registryUser)
    server.faults.push({ where: /token/, fault: { kind: 'answer', status: 503 }, times: 1 })
    await pushModule(registry, { repository, module })
    expect(retries).toEqual([expect.stringMatching(/answered 503; trying again\.$/)])
  })

  test.each(['{}', 'no', '{"token":"a\\nb"}', '{"token":1}'])(
    'an answer without a token is a failure: %s',
    async (body) => {
      const { server, registry } = await start({ login: 'bearer' }, registryUser)
      server.faults.push({ where: /token/, fault: { kind: 'answer', status: 200, body } })
      await expect(pushModule(registry, { repository, module })).rejects.toThrow(/answered without a token for 127/)
    }
  )
})

describe('who may not', () => {
  const wrong = { username: 'octocat', password: 'a-wrong-password' }

  test.each([
    ['bearer', /It does not know this `username` and `password`/],
    ['basic', /The login may not write to it/]
  ] as const)('a wrong password, asked for by %s', async (login, message) => {
    const { registry, retries } = await start({ login }, wrong)
    const pushed = pushModule(registry, { repository, module })
    await expect(pushed).rejects.toThrow(ConfigurationError)
    await expect(pushed).rejects.toThrow(message)
    await expect(pushed).rejects.not.toThrow(/a-wrong-password/)
    expect(retries).toEqual([])
  })

  test.each(['bearer', 'basic'] as const)('nobody, asked for by %s', async (login) => {
    const { server, registry } = await start({ login })
    const pushed = pushModule(registry, { repository, module })
    await expect(pushed).rejects.toThrow(`Nobody is logged in: give \`username\` and \`password\` for ${server.host}.`)
  })
})

/** Hosts that can't be had here: what a request is answered, and all that were sent. */
function elsewhere(host: string, answer: (request: Request) => Partial<Answer>) {
  const sent: Request[] = []
  const exchange: Transport['exchange'] = async (request) => {
    sent.push(request)
    return { kind: 'answered', answer: { status: 404, headers: {}, body: '', ...answer(request) } }
  }
  const network = { ...hastyNetwork(), transport: { ...createTransport('test'), exchange, stream: exchange } }
  const registry = openRegistry({ host, credential: registryUser, network, onSecret: () => {} })
  return { registry, sent }
}

describe('other hosts', () => {
  const denied = { status: 403, body: '{"errors":[{"code":"DENIED","message":"permission_denied: write_package"}]}' }

  test('ghcr.io that refuses a push wants a permission', async () => {
    const { registry } = elsewhere('ghcr.io', () => denied)
    await expect(pushModule(registry, { repository, tag: 'v1', module })).rejects.toThrow(
      'Pushing ghcr.io/octocat/game:v1 failed: ghcr.io answered 403: DENIED: permission_denied: write_package. The login may not write ' +
        'to it. The job needs `permissions: packages: write`; a package that another repository has made must also give this one access'
    )
  })

  test('ghcr.io that refuses a fetch wants another', async () => {
    const { registry } = elsewhere('ghcr.io', () => denied)
    const fetched = fetchModule(registry, parseReference('ghcr.io/octocat/game:v1'))
    await expect(fetched).rejects.toThrow(
      /The login may not read from it\. The job needs `permissions: packages: read`/
    )
  })

  test('Docker Hub is asked at its own address, and its token elsewhere', async () => {
    const challenge = { 'www-authenticate': 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"' }
    const { registry, sent } = elsewhere('docker.io', ({ url, headers }) => {
      if (url.startsWith('https://auth.docker.io/')) return { status: 200, body: '{"token":"abc"}' }
      return headers.authorization === undefined ? { status: 401, headers: challenge } : denied
    })
    const pushed = pushModule(registry, { repository, module })
    await expect(pushed).rejects.toThrow(/"Read & Write"/)
    expect(sent.map(({ url, headers }) => [new URL(url).host, headers.authorization])).toEqual([
      ['registry-1.docker.io', undefined],
      ['auth.docker.io', `Basic ${basic}`],
      ['registry-1.docker.io', 'Bearer abc']
    ])
  })

  test.each(['http://tokens.example.com/token', 'http://127.0.0.1/token', 'ftp://x/', 'nothing'])(
    'a realm without encryption gets nothing: %s',
    async (realm) => {
      const headers = { 'www-authenticate': `Bearer realm="${realm}",service="x"` }
      const { registry, sent } = elsewhere('registry.example.com', () => ({ status: 401, headers }))
      const pushed = pushModule(registry, { repository, module })
      await expect(pushed).rejects.toThrow(RegistryFailure)
      await expect(pushed).rejects.toThrow(/the credential is sent by https alone/)
      expect(sent).toHaveLength(1)
    }
  )

  test('an upload is not sent on without encryption', async () => {
    const location = 'http://registry.example.com/v2/uploads/1?state=secret'
    const { registry, sent } = elsewhere('registry.example.com', ({ method }) =>
      method === 'POST' ? { status: 202, headers: { location } } : {}
    )
    const pushed = pushModule(registry, { repository, module })
    await expect(pushed).rejects.toThrow(
      /sends the upload to http:\/\/registry\.example\.com, without encryption.*X-Forwarded-Proto/
    )
    expect(sent.map(({ method }) => method)).toEqual(['HEAD', 'POST'])
  })

  test('an upload to another host goes without the credential', async () => {
    const headers = { 'www-authenticate': 'Basic realm="x"' }
    const location = 'https://uploads.example.com/1?signature=x'
    const { registry, sent } = elsewhere('registry.example.com', (request) => {
      if (request.url.startsWith('https://uploads.example.com/')) return { status: 500 }
      if (request.headers.authorization === undefined) return { status: 401, headers }
      return request.method === 'POST' ? { status: 202, headers: { location } } : {}
    })
    await expect(pushModule(registry, { repository, module })).rejects.toThrow(/uploads\.example\.com answered 500/)
    const puts = sent.filter(({ method }) => method === 'PUT')
    expect(puts[0]?.url).toMatch(/^https:\/\/uploads\.example\.com\/1\?signature=x&digest=sha256%3A[0-9a-f]{64}$/)
    expect(puts.every((request) => request.headers.authorization === undefined)).toBe(true)
  })

  test('what a registry says is shown without the secrets in it', async () => {
    const body = JSON.stringify({ errors: [{ code: 'X', message: `who is ${registryUser.password} or ${basic}?` }] })
    const { registry } = elsewhere('registry.example.com', () => ({ status: 400, body }))
    await expect(pushModule(registry, { repository, module })).rejects.toThrow('answered 400: X: who is *** or ***?.')
  })

  test.each([
    ['127.0.0.1:443', 'http://127.0.0.1:443/'],
    ['localhost:5000', 'http://localhost:5000/'],
    ['localhost.example.com', 'https://localhost.example.com/']
  ])('http is for this machine: %s', async (host, url) => {
    const { registry, sent } = elsewhere(host, () => denied)
    await expect(pushModule(registry, { repository, module })).rejects.toThrow(ConfigurationError)
    expect(sent[0]?.url.startsWith(`${url}v2/`)).toBe(true)
  })
})
