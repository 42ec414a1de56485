import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { fixtureModule, type Recording, recordings } from '../fixtures.ts'
import { comparable, comparableSchema } from './alike.ts'
import { type EmbeddedServer, startServer } from './server.ts'

/** What a real server answered, asked of the embedded one in the same order. */
describe('the embedded server answers as a real one did', () => {
  let server: EmbeddedServer
  /** What the tokens of recorded plans are here. */
  const planTokens = new Map<string, string>()

  beforeAll(async () => {
    server = await startServer()
  })

  afterAll(async () => {
    await server.close()
  })

  test.each(recordings())('$id', async (recording) => {
    const answer = await send(recording)
    const body = await answer.text()
    const { response } = recording
    learnToken(response.body, body)
    expect(answer.status).toBe(response.status)
    expect(answer.headers.get('content-type') ?? undefined).toBe(response.headers['content-type'])
    expect([...answer.headers.keys()].filter(isOurs).sort()).toEqual(
      Object.keys(response.headers).filter(isOurs).sort()
    )
    expect(readable(recording, body)).toEqual(readable(recording, response.body))
  })

  async function send({ request }: Recording): Promise<Response> {
    const headers = new Headers(request.headers)
    if (request.as !== undefined) headers.set('authorization', `Bearer ${await server.issueToken(request.as)}`)
    const path = request.path.replace(/0x[0-9a-f]+/, (token) => planTokens.get(token) ?? token)
    const body = request.module === undefined ? request.body : new Uint8Array(fixtureModule(request.module))
    return fetch(server.url + path, { method: request.method, headers, ...(body !== undefined && { body }) })
  }

  function learnToken(recorded: string, here: string): void {
    const [theirs, ours] = [recorded, here].map((body) => /"token":"(0x[0-9a-f]+)"/.exec(body)?.[1])
    if (theirs !== undefined && ours !== undefined) planTokens.set(theirs, ours)
  }

  function readable({ case: name, response }: Recording, body: string): unknown {
    if (/^schema-(rich-)?\d/.test(name)) return comparableSchema(body)
    const withoutTokens = body.replace(/("token":")0x[0-9a-f]+"/, '$1<plan token>"')
    return comparable(withoutTokens, response.headers['content-type'])
  }
})

function isOurs(header: string): boolean {
  return header.startsWith('spacetime-')
}
