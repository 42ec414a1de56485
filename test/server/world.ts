import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect } from '@jest/globals'
import { hashModule } from '../../src/module/hash.ts'
import type { Module } from '../../src/module/module.ts'
import { connect } from '../../src/spacetimedb/client.ts'
import { tokenCredential } from '../../src/spacetimedb/credential.ts'
import type { Identity } from '../../src/spacetimedb/identity.ts'
import type { CallAnswer, PublishAnswer, Server, ServerPlan } from '../../src/spacetimedb/server.ts'
import { startServer } from '../embedded/server.ts'
import { fixtureModule, matrixModule } from '../fixtures.ts'

/** A server with two people who use it. Everything but `made` is there once the tests run. */
export type World = {
  readonly url: string
  readonly owner: User
  readonly other: User
  /** Sends requests without a token. */
  readonly nobody: Send
  /** Names of databases to delete in the end. */
  readonly made: string[]
  /** A new database of the owner's: its name. */
  create(module: string | Module): Promise<string>
  /** A database of the owner's for tests that change nothing. */
  shared(module: string): Promise<string>
}

/** Prepares the server that `STDB_SERVER` names, or an embedded one, before the tests of a file. */
export function prepareWorld(): World {
  let server: { url: string; owner: User; other: User; close: () => Promise<unknown> } | undefined
  const made: string[] = []
  const databases = new Map<string, Promise<string>>()
  const ready = () => {
    if (server === undefined) throw new Error('the server is there only while tests run')
    return server
  }
  beforeAll(async () => {
    const { url, close } = await serverUnderTest()
    server = { url, close, owner: await newUser(url), other: await newUser(url) }
  })
  afterAll(async () => {
    const { owner, other, close } = ready()
    await Promise.all(made.flatMap((name) => [owner, other].map((user) => user.send('DELETE', `/database/${name}`))))
    await close()
  })
  const world: World = {
    get url() {
      return ready().url
    },
    get owner() {
      return ready().owner
    },
    get other() {
      return ready().other
    },
    get nobody() {
      return sender(ready().url, {})
    },
    made,
    create: async (module) => {
      const name = newName()
      made.push(name)
      const answer = await world.owner.client.publishFirst(name, typeof module === 'string' ? wasm(module) : module)
      expect(answer).toMatchObject({ kind: 'published', operation: 'created' })
      return name
    },
    shared: (module) => {
      const database = databases.get(module) ?? world.create(module)
      databases.set(module, database)
      return database
    }
  }
  return world
}

async function serverUnderTest(): Promise<{ url: string; close: () => Promise<unknown> }> {
  const given = process.env.STDB_SERVER
  if (given === undefined || given === '') return startServer()
  return { url: given.replace(/\/+$/, ''), close: async () => undefined }
}

/** Somebody whom the server knows, with the client that acts for them. */
export type User = { readonly identity: Identity; readonly token: string; readonly client: Server; send: Send }

export type Send = (
  method: string,
  path: string,
  options?: { readonly body?: Uint8Array | string; readonly type?: string; readonly signal?: AbortSignal }
) => Promise<{ readonly status: number; readonly headers: Headers; readonly text: string }>

async function newUser(url: string): Promise<User> {
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

/** Publishes an update by the plan for it. */
export async function update({ client }: User, name: string, module: Module): Promise<PublishAnswer> {
  return client.publishUpdate(name, module, token(await client.plan(name, module)))
}

/** The token of an automatic plan. */
export function token(plan: ServerPlan): string {
  if (plan.kind !== 'automatic') throw new Error(`the plan is ${plan.kind}`)
  return plan.token
}

export function call(user: User, name: string, reducer: string, args: readonly unknown[]): Promise<CallAnswer> {
  return user.client.call(name, reducer, args)
}

export async function rows(user: User, name: string, statement: string): Promise<readonly (readonly unknown[])[]> {
  const answer = await user.client.sql(name, statement)
  if (answer.kind !== 'rows') throw new Error(answer.reason)
  return answer.rows
}

/** Tries until the check passes, 5 s at most. */
export async function eventually(check: () => Promise<void>): Promise<void> {
  for (let left = 50; ; left--) {
    try {
      return await check()
    } catch (error) {
      if (left === 0) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
