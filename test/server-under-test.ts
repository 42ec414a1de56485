import { randomUUID } from 'node:crypto'
import { hashModule } from '../src/module/hash.ts'
import type { Module } from '../src/module/module.ts'
import { connect } from '../src/spacetimedb/client.ts'
import { tokenCredential } from '../src/spacetimedb/credential.ts'
import type { Identity } from '../src/spacetimedb/identity.ts'
import type { Server } from '../src/spacetimedb/server.ts'
import { startServer } from './embedded/server.ts'
import { fixtureModule, matrixModule } from './fixtures.ts'

/** A server that tests may fill: the one that `STDB_SERVER` names, or an embedded one. */
export type ServerUnderTest = { readonly url: string; close(): Promise<void> }

export async function serverUnderTest(): Promise<ServerUnderTest> {
  const given = process.env.STDB_SERVER
  if (given !== undefined && given !== '') return { url: given.replace(/\/+$/, ''), close: async () => undefined }
  const { url, close } = await startServer()
  return { url, close: async () => void (await close()) }
}

/** Somebody whom the server knows, with the client that acts for them. */
export type User = { readonly identity: Identity; readonly token: string; readonly client: Server; send: Send }

export type Send = (
  method: string,
  path: string,
  options?: { readonly body?: Uint8Array | string; readonly type?: string; readonly signal?: AbortSignal }
) => Promise<{ readonly status: number; readonly headers: Headers; readonly text: string }>

export async function newUser(url: string): Promise<User> {
  const answer = await fetch(`${url}/v1/identity`, { method: 'POST' })
  const { token } = (await answer.json()) as { token: string }
  return userWith(url, token)
}

export function userWith(url: string, token: string): User {
  const credential = tokenCredential(token)
  return {
    identity: credential.identity,
    token,
    client: connect({ url, credential }),
    send: sender(url, { authorization: `Bearer ${token}` })
  }
}

/** Sends requests without a token. */
export function anonymous(url: string): Send {
  return sender(url, {})
}

function sender(url: string, always: Readonly<Record<string, string>>): Send {
  return async (method, path, { body, type, signal } = {}) => {
    const headers = { ...always, ...(type !== undefined && { 'content-type': type }) }
    const content = body === undefined || typeof body === 'string' ? body : new Uint8Array(body)
    const answer = await fetch(`${url}/v1${path}`, {
      method,
      headers,
      ...(content !== undefined && { body: content }),
      ...(signal !== undefined && { signal })
    })
    return { status: answer.status, headers: answer.headers, text: await answer.text() }
  }
}

/** A name that no database has. */
export function newName(): string {
  return `test-${randomUUID()}`
}

export function wasm(name: string): Module {
  return moduleOf(fixtureModule(`${name}.wasm`))
}

export function matrixWasm(name: string): Module {
  return moduleOf(matrixModule(name))
}

function moduleOf(bytes: Uint8Array): Module {
  return { bytes, hash: hashModule(bytes), kind: 'wasm' }
}
