import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { startServer } from '../embedded/server.ts'
import { fixtureModule } from '../fixtures.ts'
import { selfSigned } from './self-signed.ts'
import { type Deployed, type DeployOptions, hashOf, startStage } from './stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(90_000)

const stage = await startStage()
const elsewhere = await startServer()
const strange = await elsewhere.issueToken()
const stranger = await stage.server.issueToken('stranger')
for (const token of [strange, stranger]) stage.secrets.add(token)
const servers: Server[] = []

afterAll(async () => {
  for (const server of servers) server.close()
  await stage.server.close()
  await elsewhere.close()
})

type BadInput = Partial<DeployOptions> & {
  readonly title: string
  /** What the message must tell: the input, what is wrong with it, what is allowed or to do. */
  readonly says: readonly RegExp[]
}

/** One error and nothing else, from the main step or after it: nothing was changed. */
async function expectOneError({ title: _, says, ...options }: BadInput): Promise<void> {
  const database = await stage.databaseWith('counter')
  const { main, post } = await stage.deploy({ database, module: 'counter-additive', ...options })
  const annotations = [...main.annotations, ...post.annotations].filter(({ level }) => level === 'error')
  expect(annotations).toHaveLength(1)
  for (const part of says) expect(annotations[0]?.message).toMatch(part)
  expect(main.exitCode).toBe(1)
  expect(main.leftProcesses).toBe(false)
  expect(post.exitCode).toBe(0)
  expect(post.summary).toBe('')
  expect(await stage.liveHash(options.database ?? database)).toBe(options.database ? undefined : hashOf('counter'))
}

const bytesOf = (text: string) => new TextEncoder().encode(text)
const emptyWasm = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)

describe('a module', () => {
  test.concurrent.each<BadInput>([
    { title: 'that is not there', inputs: { module: 'gaem.wasm' }, says: [/gaem\.wasm/, /not exist/, /workspace/] },
    { title: 'whose path is not given', inputs: { module: '' }, says: [/`module`/, /project/, /`path`/] },
    { title: 'that is a folder', inputs: { module: '.' }, says: [/director|folder/] },
    { title: 'that is empty', module: new Uint8Array(), says: [/module\.wasm/, /empty/] },
    {
      title: 'that is a text',
      module: bytesOf('<!doctype html><html></html>'),
      says: [/module\.wasm/, /web page/, /spacetime build/]
    },
    {
      title: 'that is cut short',
      module: fixtureModule('counter.wasm').subarray(0, 5000),
      says: [/can't be described|not valid/]
    },
    {
      title: 'that is WebAssembly of another kind',
      module: emptyWasm,
      says: [/described|describe/, /spacetime build/]
    },
    { title: 'that takes all memory', module: 'hostile/grow', says: [/memory|grow/i] },
    { title: 'that imports what no server has', module: 'hostile/env', says: [/import/, /env/] },
    { title: 'for an ABI that no server knows', module: 'hostile/abi11', says: [/11/] },
    { title: 'that is too large', module: new Uint8Array(65 << 20), says: [/64 M/, /release mode/] }
  ])('$title', expectOneError)
})

test.concurrent('a module that never stops describing itself is not sent to the server', async () => {
  const inputs = { create: 'true' }
  await expectOneError({
    title: '',
    database: stage.newDatabase(),
    module: 'hostile/loop',
    inputs,
    says: [/longer than \d+ s/]
  })
})

describe('JavaScript', () => {
  /** A module whose describing does what a body says, with whatever Node would give to it. */
  const doing = (body: string) =>
    bytesOf(`import { moduleHooks } from 'spacetime:sys@2.0'
      const process = TextEncoder.constructor('return process')()
      export default { [moduleHooks]: () => ({ __describe_module__() { ${body} } }) }`)

  test.concurrent.each<BadInput>([
    {
      title: 'that looks for the token where the step has it',
      module: doing(
        `throw Error(process.getBuiltinModule('fs').readFileSync('/proc/' + process.ppid + '/environ', 'latin1'))`
      ),
      says: [/described/]
    },
    {
      title: 'that looks for the token in its own environment',
      module: doing('throw Error(JSON.stringify(process.env))'),
      says: [/described.*\{\}/]
    },
    {
      title: 'that gives commands to the runner',
      module: doing("process.stdout.write('\\n::error::injected\\n'); throw Error('no\\n::error::injected')"),
      says: [/described/]
    },
    {
      title: 'that is another program',
      module: bytesOf('console.log("hello")'),
      says: [/module\.wasm/, /bytes 636f6e73/]
    }
  ])('$title', expectOneError)
})

describe('the inputs', () => {
  test.concurrent.each<BadInput>([
    {
      title: 'a database name in capitals',
      inputs: { database: 'My_Game' },
      says: [/`database`/, /My_Game/, /lower-case/]
    },
    { title: 'no database', inputs: { database: '' }, says: [/`database`/] },
    { title: 'no server', inputs: { server: '' }, says: [/`server`/] },
    { title: 'a server without scheme', inputs: { server: 'stdb.example.org' }, says: [/`server`/, /https:\/\//] },
    {
      title: 'a token over plain http',
      inputs: { server: 'http://stdb.example.org' },
      says: [/unencrypted/, /allow-insecure/]
    },
    { title: 'no credential', inputs: { token: '' }, says: [/`token`/, /`auth: oidc`/] },
    { title: 'two credentials', inputs: { auth: 'oidc' }, says: [/exactly one/, /`token`/, /`auth: oidc`/] },
    { title: 'an audience for a token', inputs: { audience: 'x' }, says: [/`audience`/, /`auth: oidc`/] },
    { title: 'a truth that is none', inputs: { create: 'yes' }, says: [/`create`/, /yes/, /`true` or `false`/] },
    { title: 'a time without unit', inputs: { 'health-timeout': '30' }, says: [/`health-timeout`/, /30/, /`30s`/] },
    { title: 'an unknown way to fail', inputs: { 'on-failure': 'undo' }, says: [/`on-failure`/, /undo/, /`keep`/] },
    {
      title: 'a health check that is not in the module',
      inputs: { 'health-check': 'is_fine' },
      says: [/health-check/, /is_fine/, /health_check/]
    },
    {
      title: 'a health check with parameters',
      inputs: { 'health-check': 'increment_counter' },
      says: [/increment_counter/, /parameters/]
    },
    { title: 'more than one of them', inputs: { create: 'yes', 'dry-run': 'no' }, says: [/`create`/, /`dry-run`/] }
  ])('$title', expectOneError)
})

describe('the credential', () => {
  test.concurrent.each<BadInput>([
    {
      title: 'is no token',
      inputs: { token: 'password-of-mine' },
      secrets: () => ['password-of-mine'],
      says: [/token/]
    },
    {
      title: 'is of another server',
      inputs: { token: strange },
      says: [/token was refused|401/, /this server/]
    },
    {
      title: 'is not the owner',
      inputs: { token: stranger },
      says: [/[Nn]ot the owner/, /belongs to identity c200/, /this job is c200/]
    }
  ])('$title', expectOneError)
})

describe('the server', () => {
  async function serverThat(answers: RequestListener, secure = false): Promise<string> {
    const server = secure ? createTlsServer(selfSigned, answers) : createServer(answers)
    servers.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `${secure ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  const notFound: RequestListener = (_, response) => response.writeHead(404).end('<h1>Not Found</h1>')

  test.concurrent('does not listen', async () => {
    await expectOneError({
      title: '',
      inputs: { server: 'http://127.0.0.1:9' },
      says: [/127\.0\.0\.1:9/, /refused|reach/]
    })
  })
  test.concurrent('is no SpacetimeDB', async () => {
    await expectOneError({
      title: '',
      inputs: { server: await serverThat(notFound) },
      says: [/404/, /SpacetimeDB server/]
    })
  })
  test.concurrent('has a certificate that nobody signed', async () => {
    const server = await serverThat(notFound, true)
    await expectOneError({ title: '', inputs: { server }, says: [/self-signed/, /NODE_EXTRA_CA_CERTS/] })
  })
  test.concurrent('speaks no TLS', async () => {
    const server = (await serverThat(notFound)).replace('http:', 'https:')
    await expectOneError({ title: '', inputs: { server }, says: [/plain http/] })
  })
  test.concurrent('redirects', async () => {
    const server = await serverThat((_, response) => response.writeHead(301, { location: 'https://x.org/' }).end())
    await expectOneError({ title: '', inputs: { server }, says: [/redirects to https:\/\/x\.org/] })
  })
})

describe('the database', () => {
  test.concurrent('is not there, and may not be created', async () => {
    await expectOneError({ title: '', database: 'gmae', says: [/no database "gmae"/, /create: true/] })
  })
  test.concurrent('is an identity that is not there', async () => {
    const database = `c200${'0'.repeat(60)}`
    await expectOneError({ title: '', database, inputs: { create: 'true' }, says: [/identity can't be created/] })
  })
  test.concurrent('is only a name that a failed publish has claimed', async () => {
    const database = stage.newDatabase()
    await stage.publish(database, 'counter-init-fails', stranger)
    await expectOneError({ title: '', database, says: [/claimed/, /create: true/] })
  })
  test.concurrent('can not be created since init fails', async () => {
    const database = stage.newDatabase()
    const inputs = { create: 'true' }
    await expectOneError({ title: '', database, module: 'counter-init-fails', inputs, says: [/init/] })
  })
})

test.concurrent.each([
  ['that is not there', 'gmae', 'there is none of this name', 'none'],
  ["that is somebody else's", undefined, 'it runs the module that it ran before', undefined]
])('what is known of a database %s is reported', async (_, name, state, verdict) => {
  const database = name ?? (await stage.databaseWith('counter'))
  const { main } = await stage.deploy({ database, module: 'counter-additive', inputs: { token: stranger } })
  expect(main.outputs).toMatchObject({ result: 'failed' })
  expect(main.outputs.verdict).toBe(verdict)
  expect(main.summary).toContain(`**The database now:** ${state}`)
})

test('a claimed name is taken when it may be created, with a warning', async () => {
  const database = stage.newDatabase()
  await stage.publish(database, 'counter-init-fails', stranger)
  const { main }: Deployed = await stage.deploy({ database, module: 'counter', inputs: { create: 'true' } })
  expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'created' } })
  expect(main.annotations).toMatchObject([{ level: 'warning', message: expect.stringContaining('claimed') }])
  expect(await stage.liveHash(database)).toBe(hashOf('counter'))
})
