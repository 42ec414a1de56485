import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseChallenge } from '../../../src/image/oci/challenge.ts'

const hub = { scheme: 'bearer', realm: 'https://auth.docker.io/token', service: 'registry.docker.io' }

test.each([
  ['Bearer realm="https://auth.docker.io/token",service="registry.docker.io"', { ...hub, scopes: [] }],
  [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
    { ...hub, scopes: ['repository:a/b:pull,push'] }
  ],
  [
    'bearer  realm = "https://auth.docker.io/token" , service=registry.docker.io, scope="a:b:pull c:d:pull", error="invalid_token"',
    { ...hub, scopes: ['a:b:pull', 'c:d:pull'] }
  ],
  [
    'Bearer realm="https://a/\\"b\\"",service="x"',
    { scheme: 'bearer', realm: 'https://a/"b"', service: 'x', scopes: [] }
  ],
  ['Basic realm="https://123.dkr.ecr.us-east-1.amazonaws.com/",service="ecr.amazonaws.com"', { scheme: 'basic' }],
  [
    'Basic realm="x", Bearer realm="https://r",service="s"',
    { scheme: 'bearer', realm: 'https://r', service: 's', scopes: [] }
  ],
  ['Negotiate, Basic realm="x"', { scheme: 'basic' }],
  ['Bearer service="without a realm"', undefined],
  ['Digest realm="x"', undefined],
  ['', undefined],
  [undefined, undefined]
])('%s', (header, expected) => {
  expect(parseChallenge(header)).toEqual(expected)
})

test('nothing that a header can hold is thrown at', () => {
  const piece = fc.constantFrom('Bearer', 'Basic', ' ', ',', '=', '"', '\\', 'realm', 'scope', 'https://x', 'a b')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((all) => all.join(''))
      ),
      (text) => void parseChallenge(text)
    )
  )
})
