import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ConfigurationError } from '../../../src/errors.ts'
import { formatReference, parseReference, type Reference } from '../../../src/image/oci/reference.ts'

const hex = 'a'.repeat(64)

describe('what a reference says', () => {
  test.each([
    ['ghcr.io/owner/name', { host: 'ghcr.io', repository: 'owner/name' }],
    ['ghcr.io/owner/name:v1.2.3', { host: 'ghcr.io', repository: 'owner/name', tag: 'v1.2.3' }],
    [`ghcr.io/o/n@sha256:${hex}`, { host: 'ghcr.io', repository: 'o/n', digest: `sha256:${hex}` }],
    [`ghcr.io/o/n:t@sha256:${hex}`, { host: 'ghcr.io', repository: 'o/n', tag: 't', digest: `sha256:${hex}` }],
    ['localhost:5000/name', { host: 'localhost:5000', repository: 'name' }],
    ['localhost/name', { host: 'localhost', repository: 'name' }],
    ['127.0.0.1:5000/a/b/c:x', { host: '127.0.0.1:5000', repository: 'a/b/c', tag: 'x' }],
    ['[::1]:5000/name', { host: '[::1]:5000', repository: 'name' }],
    ['GHCR.io/owner/name', { host: 'ghcr.io', repository: 'owner/name' }],
    ['docker.io/org/x', { host: 'docker.io', repository: 'org/x' }],
    ['index.docker.io/org/x', { host: 'docker.io', repository: 'org/x' }],
    ['org/x:1', { host: 'docker.io', repository: 'org/x', tag: '1' }],
    ['gcr.io/p/a__b/c--d/e.f', { host: 'gcr.io', repository: 'p/a__b/c--d/e.f' }]
  ])('%s', (text, expected) => {
    expect(parseReference(text)).toEqual(expected)
  })
})

describe('what is none', () => {
  test.each([
    ['', /^The input `image` is empty\. Write it as `ghcr\.io\/owner\/name`/],
    ['https://ghcr.io/owner/name', /has a scheme/],
    ['ghcr.io/owner/name ', /has a space or a line break/],
    ['ghcr.io/owner/na\nme', /has a space or a line break/],
    ['user:secret@ghcr.io/owner/name', /has a user name or password in it\. Remove it/],
    ['ghcr.io', /names no repository: there is no \/ in it/],
    ['name', /names no owner: a name alone is an official image/],
    ['docker.io/name', /names no owner/],
    ['ghcr.io/', /names no repository on ghcr\.io/],
    ['ghcr.io/Owner/Name:V1', /has capital letters.* Write ghcr\.io\/owner\/name$/],
    ['ghcr.io/owner//name', /has a wrong repository name, "owner\/\/name"/],
    ['ghcr.io/owner/name/', /has a wrong repository name/],
    ['ghcr.io/../name', /has a wrong repository name/],
    ['ghcr.io/owner/-name', /has a wrong repository name/],
    ['ghcr.io/owner/name:', /has an empty tag/],
    ['ghcr.io/owner/name:-x', /is no tag/],
    [`ghcr.io/owner/name:${'x'.repeat(129)}`, /is no tag: a tag has at most 128/],
    ['ghcr.io/owner/name:a:b', /has more than one tag/],
    ['ghcr.io/owner/name@sha256:abc', /64 lower-case hex digits, and this one has 3\./],
    [`ghcr.io/owner/name@sha256:${'A'.repeat(64)}`, /has a wrong digest/],
    [`ghcr.io/owner/name@sha512:${hex}${hex}`, /not of SHA-256/],
    [`ghcr.io/owner/name@sha256:${hex}@sha256:${hex}`, /more than one @/],
    ['ghcr.io:99999/owner/name', /"ghcr\.io:99999" is none/],
    ['ghcr..io/owner/name', /does not begin with a host/],
    [`ghcr.io/${'x'.repeat(260)}`, /longer than 255 characters/]
  ])('%s', (text, message) => {
    const parse = () => parseReference(text, 'The input `image`')
    expect(parse).toThrow(ConfigurationError)
    expect(parse).toThrow(message)
  })

  test('is not repeated where it has a password', () => {
    expect(() => parseReference('user:secret@ghcr.io/owner/name')).not.toThrow(/secret/)
    expect(() => parseReference('https://user:secret@ghcr.io/owner/name')).not.toThrow(/secret/)
  })
})

const part = fc.stringMatching(/^[a-z0-9]{1,8}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,8}){0,2}$/)
const host = fc.oneof(
  fc.constantFrom('ghcr.io', 'docker.io', 'localhost', 'registry.example.com:8443', '127.0.0.1:5000'),
  fc.stringMatching(/^[a-z][a-z0-9]{0,8}\.[a-z]{2,6}(:[1-9]\d{0,3})?$/)
)
const reference = fc
  .record(
    {
      host,
      repository: fc.array(part, { minLength: 2, maxLength: 4 }).map((parts) => parts.join('/')),
      tag: fc.stringMatching(/^\w[\w.-]{0,127}$/),
      digest: fc.stringMatching(/^[0-9a-f]{64}$/).map((digits) => `sha256:${digits}`)
    },
    { requiredKeys: ['host', 'repository'] }
  )
  .map((each) => each as Reference)

test('each reference is read as it is written', () => {
  fc.assert(fc.property(reference, (each) => expect(parseReference(formatReference(each))).toEqual(each)))
})

test('whatever is read keeps to what registries allow, and nothing else is thrown than a ConfigurationError', () => {
  const near = fc.array(
    fc.constantFrom('a', 'A', 'ghcr.io', '/', ':', '@', '.', '-', '_', 'sha256:', hex, ' ', '//', '1')
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        near.map((parts) => parts.join(''))
      ),
      (text) => {
        try {
          const read = parseReference(text)
          expect(parseReference(formatReference(read))).toEqual(read)
          expect(URL.canParse(`https://${read.host}/v2/${read.repository}`)).toBe(true)
          expect(new URL(`https://${read.host}/v2/${read.repository}/x`).pathname).toBe(`/v2/${read.repository}/x`)
        } catch (error) {
          if (!(error instanceof ConfigurationError)) throw error
        }
      }
    )
  )
})
