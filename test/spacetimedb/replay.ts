import { type Recording, recordings } from '../fixtures.ts'
import { serve, type TestServer } from './http-server.ts'

/** What stands for `<identity of owner>` and the like in recordings. */
export const identities = {
  owner: `c200${'a'.repeat(60)}`,
  other: `c200${'b'.repeat(60)}`,
  database: `c200${'d'.repeat(60)}`
}

export const secretOfAnswers = 'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJsb2NhbGhvc3QifQ.c2VjcmV0LW9mLWFuc3dlcnM'

/** A server that answers everything with what a real one answered in that case. */
export async function replay(name: string): Promise<TestServer & { readonly recording: Recording }> {
  const recording = recordings().find((each) => each.case === name)
  if (recording === undefined) throw new Error(`there is no recording ${name}`)
  const { status, headers, body } = recording.response
  const filled = Object.fromEntries(Object.entries(headers).map(([header, value]) => [header, fill(value)]))
  const server = await serve((_, response) => response.writeHead(status, filled).end(fill(body)))
  return Object.assign(server, { recording })
}

function fill(text: string): string {
  return text
    .replaceAll('<identity of owner>', identities.owner)
    .replaceAll('<identity of other>', identities.other)
    .replaceAll(/<identity( of database [\w-]+)?>/g, identities.database)
    .replaceAll(/"<micros[^>]*>"/g, '1763900000000000')
    .replaceAll(/<token[^>]*>/g, secretOfAnswers)
}
