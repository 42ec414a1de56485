import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { identityOf } from '../../src/spacetimedb/identity.ts'
import { newName, userWith, type World, wasm } from './world.ts'

/** Whose tokens are taken. */
export function testTokens(world: World): void {
  describe('tokens', () => {
    test('a new identity is that of its token', async () => {
      const { status, text } = await world.nobody('POST', '/identity')
      const { identity, token } = JSON.parse(text)
      expect([status, userWith(world.url, token).identity]).toEqual([200, identity])
    })

    test('an issuer of its own is asked for its keys', async () => {
      await withIssuer(async (issuer, sign) => {
        const name = newName()
        const deployer = userWith(world.url, await sign({ sub: 'repo:org/repo:environment:production' }))
        expect(await deployer.client.publishFirst(name, wasm('counter'))).toMatchObject({ operation: 'created' })
        const resolution = await world.nobody('GET', `/database/${name}`)
        expect(resolution.text).toContain(identityOf(issuer, 'repo:org/repo:environment:production'))
        const status = async (claims: object) => {
          const authorization = `Bearer ${await sign(claims)}`
          return (await fetch(`${world.url}/v1/database/${name}`, { headers: { authorization } })).status
        }
        const now = Math.floor(Date.now() / 1000)
        expect(await status({ sub: 'x', exp: now - 30 })).toBe(200)
        expect(await status({ sub: 'x', exp: now - 90 })).toBe(401)
        expect(await status({ sub: 'x'.repeat(128) })).toBe(200)
        expect(await status({ sub: 'x'.repeat(129) })).toBe(401)
        await deployer.send('DELETE', `/database/${name}`)
      })
    })

    test.each(['not-a-token', 'a.b.c'])('%s is none', async (token) => {
      const headers = { authorization: `Bearer ${token}` }
      expect((await fetch(`${world.url}/v1/database/x`, { headers })).status).toBe(401)
    })
  })
}

type Sign = (claims: object) => Promise<string>

/** Runs an OpenID Connect issuer on loopback. */
async function withIssuer(use: (issuer: string, sign: Sign) => Promise<void>): Promise<void> {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
  let issuer = ''
  const http: HttpServer = createServer(({ url }, response) => {
    const document = url === '/jwks' ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/jwks` }
    response.setHeader('content-type', 'application/json').end(JSON.stringify(document))
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const now = Math.floor(Date.now() / 1000)
  const sign: Sign = (claims) =>
    new SignJWT({ iss: issuer, iat: now, exp: now + 300, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .sign(privateKey)
  try {
    await use(issuer, sign)
  } finally {
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
  }
}
