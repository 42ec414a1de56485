import { describe, expect, test } from '@jest/globals'
import { ConfigurationError } from '../../src/errors.ts'
import { oidcCredential, subjectWarnings } from '../../src/spacetimedb/oidc.ts'
import { tokenWith } from './tokens.ts'

const issuer = 'http://127.0.0.1:4010'
const subject = 'repo:org/repo:environment:production'

/** A provider whose tokens live for 5 minutes of a clock that is turned by hand. */
function provider() {
  let now = Date.parse('2026-06-01T12:00:00Z')
  const audiences: (string | undefined)[] = []
  const claims: Record<string, unknown> = { iss: issuer, sub: subject }
  const request = async (audience: string | undefined) => {
    audiences.push(audience)
    return tokenWith({ ...claims, exp: now / 1000 + 300, jti: audiences.length })
  }
  return { request, audiences, claims, clock: { now: () => now }, pass: (seconds: number) => (now += seconds * 1000) }
}

describe('an OIDC credential', () => {
  test('is known by its identity before anything is sent to a server', async () => {
    const { request, audiences, clock } = provider()
    expect(await oidcCredential({ request, audience: 'https://stdb.example', clock })).toMatchObject({
      kind: 'oidc',
      identity: 'c20033ad2a9fd3556420762138477547d149f790addfdd2d6053b2b936b2a6dd',
      issuer,
      subject
    })
    expect(audiences).toEqual(['https://stdb.example'])
  })

  test('requests a new token only when the last has a minute or less to live', async () => {
    const { request, audiences, clock, pass } = provider()
    const credential = await oidcCredential({ request, clock })
    const token = await credential.token()
    pass(239)
    expect(await credential.token()).toBe(token)
    pass(1)
    expect(await credential.token()).not.toBe(token)
    expect(audiences).toHaveLength(2)
  })

  test('fails when a new token speaks for somebody else', async () => {
    const { request, clock, claims, pass } = provider()
    const credential = await oidcCredential({ request, clock })
    pass(300)
    claims.sub = 'repo:org/repo:ref:refs/heads/main'
    await expect(credential.token()).rejects.toThrow(ConfigurationError)
    await expect(credential.token()).rejects.toThrow('speaks for somebody else')
  })

  test('asks again after a request that failed', async () => {
    const { request, clock, pass } = provider()
    let failing = false
    const flaky = (audience: string | undefined) =>
      failing ? Promise.reject(new Error('provider down')) : request(audience)
    const credential = await oidcCredential({ request: flaky, clock })
    pass(300)
    failing = true
    await expect(credential.token()).rejects.toThrow('provider down')
    failing = false
    expect(await credential.token()).toMatch(/^eyJ/)
  })

  test('needs a token that the server accepts', async () => {
    const long = `repo:org/${'r'.repeat(120)}:environment:production`
    await expect(oidcCredential({ request: async () => 'nothing' })).rejects.toThrow('not a JSON Web Token')
    const tooLong = oidcCredential({ request: async () => tokenWith({ iss: issuer, sub: long }) })
    await expect(tooLong).rejects.toThrow(ConfigurationError)
    await expect(tooLong).rejects.toThrow(`${long.length} bytes`)
  })
})

describe('a subject', () => {
  test.each([
    'repo:org/repo:environment:production',
    'repo:org@12/repo@34:environment:my env',
    'repository_id:34:environment:production'
  ])('"%s" is the same for every run in its environment', (given) => {
    expect(subjectWarnings(given)).toEqual([])
  })

  test.each([
    ['repo:org/repo:ref:refs/heads/main', 'repo:org/repo:environment:NAME'],
    ['repo:org/repo:pull_request', 'repo:org/repo:environment:NAME'],
    ['repo:org@12/repo@34:ref:refs/tags/v1', 'repo:org@12/repo@34:environment:NAME'],
    ['repo:org/repo:ref:refs/heads/environment', 'repo:org/repo:environment:NAME'],
    ['repo:org/environment:ref:refs/heads/main', 'repo:org/environment:environment:NAME']
  ])('"%s" is warned of', (given, better) => {
    expect(subjectWarnings(given)).toEqual([expect.stringContaining(better)])
  })
})
