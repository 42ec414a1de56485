import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { type IdTokens, longSubject, pinnedSubject, startIdTokens } from './oidc.ts'

let idTokens: IdTokens

beforeEach(async () => {
  idTokens = await startIdTokens()
})
afterEach(() => idTokens.close())

async function ask(query = ''): Promise<Response> {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } = idTokens.env
  return fetch(`${url}${query}`, { headers: { authorization: `Bearer ${token}` } })
}

test('gives tokens that its keys confirm, for the audience and subject that it is told', async () => {
  const { value } = (await (await ask('&audience=stdb')).json()) as { value: string }
  const discovery = (await (await fetch(`${idTokens.issuer}/.well-known/openid-configuration`)).json()) as {
    jwks_uri: string
  }
  const { payload } = await jwtVerify(value, createRemoteJWKSet(new URL(discovery.jwks_uri)))
  expect(payload).toMatchObject({ iss: idTokens.issuer, sub: pinnedSubject, aud: 'stdb' })
  expect(idTokens.secrets).toContain(value)
})

test('is asked for another subject by another token', async () => {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } = idTokens.envOf(longSubject)
  await fetch(`${url}`, { headers: { authorization: `Bearer ${token}` } })
  await ask()
  expect(idTokens.issued.map((issued) => decodeJwt(issued).sub)).toEqual([longSubject, pinnedSubject])
  expect(idTokens.secrets).toContain(token)
})

test('gives another one each time', async () => {
  await ask()
  idTokens.subject = longSubject
  await ask()
  expect(new Set(idTokens.issued).size).toBe(2)
  expect(idTokens.audiences).toEqual([undefined, undefined])
  expect(longSubject.length).toBeGreaterThan(128)
})

test('gives none to others, and none when told to refuse', async () => {
  expect((await fetch(`${idTokens.issuer}/token?api-version=2.0`)).status).toBe(401)
  idTokens.refuse = 500
  expect((await ask()).status).toBe(500)
  expect(idTokens.issued).toEqual([])
})
