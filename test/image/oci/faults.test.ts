import { describe, expect, test } from '@jest/globals'
import { systemClock } from '../../../src/clock.ts'
import { ConfigurationError } from '../../../src/errors.ts'
import { RegistryFailure } from '../../../src/image/oci/failures.ts'
import { fetchArtifact, fetchModule, pushModule } from '../../../src/image/oci/module-artifact.ts'
import { parseReference } from '../../../src/image/oci/reference.ts'
import { openRegistry } from '../../../src/image/oci/registry.ts'
import { hastyNetwork } from '../../setup/http-server.ts'
import { type FaultRule, type RegistryFault, type RegistryOptions, registryUser } from '../../stand-ins/registry.ts'
import { module, open, otherModule, registries } from './registries.ts'

const start = registries()
const repository = 'octocat/game'

/** A registry with the module, of which the next request goes wrong. */
async function stored(options: RegistryOptions, ...faults: FaultRule[]) {
  const { server, registry } = await start(options)
  const { reference } = await pushModule(registry, { repository, tag: 'v1', module })
  server.faults.push(...faults)
  return { server, reference: parseReference(reference), ...open(server.host) }
}

const blob = /^GET \/v2\/.*blobs/
const storage = /^GET \/storage/
const manifest = /^GET .*manifests/
const answer = (status: number, code = '', message = '', headers = {}): RegistryFault => {
  return { kind: 'answer', status, headers, body: JSON.stringify({ errors: [{ code, message }] }) }
}

describe('fetching', () => {
  test.each<[string, RegExp, RegistryFault, RegExp]>([
    [
      'a blob that breaks off',
      storage,
      { kind: 'cut' },
      /^the module from 127.* broke off after \d+ of \d+ bytes; trying again\.$/
    ],
    ['a manifest that breaks off', manifest, { kind: 'cut' }, /^the manifest from 127.* broke off after \d+ bytes/],
    ['a connection that is closed', blob, { kind: 'broken-connection' }, /the connection to 127.* broke/],
    ['a registry out of order', manifest, answer(503), /^127.* answered 503; trying again\.$/],
    ['storage out of order', storage, answer(500), /answered 500/],
    ['a limit on requests', manifest, answer(429), /answered 429/]
  ])('%s is asked for again', async (_, where, fault, reason) => {
    const { registry, reference, retries } = await stored({ redirects: true }, { where, fault, times: 2 })
    expect(await fetchModule(registry, reference)).toMatchObject({ hash: module.hash })
    expect(retries).toEqual([expect.stringMatching(reason), expect.stringMatching(reason)])
  })

  test.each<[string, RegistryOptions, RegExp, RegistryFault, RegExp]>([
    [
      'a corrupt blob',
      {},
      blob,
      { kind: 'corrupt' },
      /the module from 127.* its digest is sha256:\w+, not sha256:\w+\. The registry, a cache/
    ],
    ['a corrupt blob of storage', { redirects: true }, storage, { kind: 'corrupt' }, /its digest is/],
    ['a corrupt manifest', {}, manifest, { kind: 'corrupt' }, /the manifest from 127.* its digest is/],
    ['a blob that is too long', {}, blob, { kind: 'too-long' }, /has more than the \d+ bytes that it should have/],
    ['storage that forbids', { redirects: true }, storage, answer(403), /^Fetching .* failed: 127.* answered 403\.$/]
  ])('%s is refused at once', async (_, options, where, fault, message) => {
    const { registry, reference, server } = await stored(options, { where, fault })
    const asked = server.seen.registry.length
    const fetched = fetchModule(registry, reference)
    await expect(fetched).rejects.toThrow(RegistryFailure)
    await expect(fetched).rejects.toThrow(message)
    expect(server.seen.registry.length - asked).toBeLessThanOrEqual(2)
  })

  test('a blob of which nothing more comes is asked for again', async () => {
    const { server, reference } = await stored({}, { where: blob, fault: { kind: 'stall' }, times: 1 })
    const { registry, retries } = open(server.host, undefined, 500)
    expect(await fetchModule(registry, reference)).toMatchObject({ hash: module.hash })
    expect(retries[0]).toMatch(/^the module from 127.* broke off after \d+ of \d+ bytes; trying again\.$/)
  })

  test('a blob that always breaks off is given up', async () => {
    const { registry, reference, retries } = await stored({}, { where: blob, fault: { kind: 'cut' } })
    await expect(fetchModule(registry, reference)).rejects.toThrow(
      /^Fetching .* failed: the module from .* broke off after/
    )
    expect(retries).toHaveLength(2)
  })

  test('the digest in a header is not believed', async () => {
    const { registry, reference, server } = await stored({}, { where: manifest, fault: { kind: 'wrong-digest' } })
    const tagged = parseReference(`${server.host}/${repository}:v1`)
    expect((await fetchArtifact(registry, tagged)).digest).toBe(reference.digest)
    expect(await fetchModule(registry, reference)).toMatchObject({ hash: module.hash })
  })

  test('what is not there is a wrong name', async () => {
    const { registry, server } = await stored({})
    const fetched = fetchModule(registry, parseReference(`${server.host}/${repository}:v2`))
    await expect(fetched).rejects.toThrow(ConfigurationError)
    await expect(fetched).rejects.toThrow(
      `There is no ${server.host}/${repository}:v2, or it is not shown to this user.`
    )
  })

  test('a registry that nobody runs is named', async () => {
    const fetched = fetchModule(open('127.0.0.1:9').registry, parseReference('127.0.0.1:9/octocat/game:v1'))
    await expect(fetched).rejects.toThrow(
      'Fetching 127.0.0.1:9/octocat/game:v1 failed: 127.0.0.1:9 refuses connections (ECONNREFUSED).'
    )
  })
})

describe('pushing', () => {
  test.each<[string, RegExp, RegistryFault]>([
    ['looking for a blob', /^HEAD .*blobs/, answer(502)],
    ['beginning an upload', /^POST/, answer(503)],
    ['an upload', /^PUT .*blobs/, answer(500)],
    ['an upload whose state was forgotten at a busy moment', /^PUT .*blobs/, answer(429)],
    ['an upload whose connection breaks', /^PUT .*blobs/, { kind: 'broken-connection' }],
    ['a manifest', /^PUT .*manifests/, answer(504)],
    ['a manifest whose answer is lost', /^PUT .*manifests/, { kind: 'broken-connection' }]
  ])('%s is begun anew', async (_, where, fault) => {
    const { server, registry, retries } = await start()
    server.faults.push({ where, fault, times: 2 })
    const { reference } = await pushModule(registry, { repository, tag: 'v1', module })
    expect(retries).toHaveLength(2)
    expect(await fetchModule(registry, parseReference(reference))).toMatchObject({ hash: module.hash })
  })

  test('a registry is given the time that it asks for', async () => {
    const { server } = await start()
    server.faults.push({ where: /^POST/, fault: answer(429, 'TOOMANYREQUESTS', '', { 'retry-after': '7' }), times: 1 })
    const slept: number[] = []
    const clock = { ...systemClock, sleep: async (milliseconds: number) => void slept.push(milliseconds) }
    const network = { ...hastyNetwork(), clock }
    const registry = openRegistry({ host: server.host, credential: undefined, network, onSecret: () => {} })
    await pushModule(registry, { repository, module })
    expect(slept).toEqual([7000])
  })

  test('one that asks for more than there is, is given up', async () => {
    const { server, registry } = await start()
    const fault = answer(429, 'TOOMANYREQUESTS', 'slow down', { 'retry-after': '3600' })
    server.faults.push({ where: /^POST/, fault })
    const pushed = pushModule(registry, { repository, module })
    await expect(pushed).rejects.toThrow(
      /answered 429: TOOMANYREQUESTS: slow down\. It takes no more requests for a while\. With a login/
    )
    expect(server.seen.registry.filter(({ method }) => method === 'POST')).toHaveLength(1)
  })

  test.each([
    [
      400,
      'TAG_INVALID',
      "The image tag 'v1' already exists in the 'game' repository and cannot be overwritten because the repository is immutable."
    ],
    [412, 'PRECONDITION', "Failed to process request due to 'game:v1' configured as immutable."],
    [409, 'TAG_IMMUTABLE', ''],
    [405, 'UNSUPPORTED', 'tag is immutable'],
    [403, 'DENIED', 'cannot update immutable tag']
  ])('a tag that can not be moved: %i %s', async (status, code, message) => {
    const { server, registry } = await start({ immutable: { status, code, message } })
    await pushModule(registry, { repository, tag: 'v1', module })
    await pushModule(registry, { repository, tag: 'v1', module })
    const pushed = pushModule(registry, { repository, tag: 'v1', module: otherModule })
    await expect(pushed).rejects.toThrow(ConfigurationError)
    await expect(pushed).rejects.toThrow(
      `${server.host} does not let the tag "v1" of ${server.host}/${repository}:v1 be moved to other content`
    )
  })

  test.each<[number, string, RegExp]>([
    [401, 'UNAUTHORIZED', /Nobody is logged in: give `username` and `password` for 127/],
    [403, 'DENIED', /answered 403: DENIED: a reason\. Nobody is logged in/],
    [404, 'NAME_UNKNOWN', /answered 404: NAME_UNKNOWN: a reason\. Is there such a repository/],
    [405, 'UNSUPPORTED', /Is it|is it read-only, or a mirror/],
    [413, '', /larger than the registry, or a proxy before it, lets through/]
  ])('%i %s is for the user to mend, and not tried again', async (status, code, message) => {
    const { server, registry, retries } = await start()
    server.faults.push({ where: /^POST/, fault: answer(status, code, 'a reason') })
    const pushed = pushModule(registry, { repository, module })
    await expect(pushed).rejects.toThrow(ConfigurationError)
    await expect(pushed).rejects.toThrow(message)
    expect(retries).toEqual([])
  })

  test.each<[string, RegistryFault, RegExp]>([
    ['without a place to upload to', answer(202), /does not say where to upload/],
    ['nobody understands', answer(418), /answered 418\.$/],
    ['that is a page', { kind: 'answer', status: 302, headers: { location: '/login' } }, /answered 302\.$/]
  ])('an answer %s is a failure', async (_, fault, message) => {
    const { server, registry } = await start()
    server.faults.push({ where: /^POST/, fault })
    const pushed = pushModule(registry, { repository, module })
    await expect(pushed).rejects.toThrow(RegistryFailure)
    await expect(pushed).rejects.toThrow(message)
  })

  test('a wrong tag is refused before anything is asked', async () => {
    const { server, registry } = await start()
    await expect(pushModule(registry, { repository, tag: 'a/b', module })).rejects.toThrow('The tag "a/b" is no tag')
    expect(server.seen.registry).toEqual([])
  })

  test('a cancelled job ends it', async () => {
    const { server } = await start()
    const controller = new AbortController()
    const network = hastyNetwork(controller.signal)
    const registry = openRegistry({ host: server.host, credential: registryUser, network, onSecret: () => {} })
    controller.abort()
    await expect(pushModule(registry, { repository, module })).rejects.toThrow(/The job was cancelled/)
  })
})
