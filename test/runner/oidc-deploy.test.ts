import { afterAll, describe, expect, test } from '@jest/globals'
import { identityOf } from '../../src/spacetimedb/identity.ts'
import { startProxy } from '../faults/proxy.ts'
import { longSubject, pinnedSubject, startIdTokens, unpinnedSubject } from './oidc.ts'
import { type Deployed, startStage } from './stage.ts'

const stage = await startStage()
const closing: (() => Promise<unknown>)[] = [() => stage.server.close()]

afterAll(() => Promise.all(closing.map((close) => close())))

/** Deploys to a database of its own by the ID token of a job with that subject. */
async function deployAs(
  subject: string,
  { database = stage.newDatabase(), inputs = {} as Record<string, string> } = {}
) {
  const idTokens = await startIdTokens({ subject })
  closing.push(() => idTokens.close())
  const deployed = await stage.deploy({
    database,
    module: 'counter',
    inputs: { token: '', auth: 'oidc', create: 'true', ...inputs },
    env: idTokens.env,
    secrets: () => idTokens.secrets
  })
  return { ...deployed, idTokens, database }
}

const errorsOf = ({ main, post }: Deployed) =>
  [...main.annotations, ...post.annotations].filter(({ level }) => level === 'error')

describe('deploy with auth: oidc', () => {
  test.concurrent("creates a database that belongs to the job's own identity", async () => {
    const { main, idTokens, database } = await deployAs(pinnedSubject)
    const identity = identityOf(idTokens.issuer, pinnedSubject)
    expect(main).toMatchObject({ exitCode: 0, outputs: { result: 'created', identity }, annotations: [] })
    const owner = await fetch(`${stage.server.url}/v1/database/${database}`).then((answer) => answer.text())
    expect(owner).toContain(identity)
  })

  test.concurrent('says who it is before anything is asked of the server', async () => {
    const { main, idTokens } = await deployAs(pinnedSubject)
    const lines = main.lines.map(({ text }) => text)
    const said = lines.findIndex((line) => line.includes(identityOf(idTokens.issuer, pinnedSubject)))
    expect(said).toBeGreaterThanOrEqual(0)
    expect(said).toBeLessThan(lines.findIndex((line) => line.includes('Find the database')))
  })

  test.concurrent('asks for the audience that it is given, and else for none', async () => {
    const given = await deployAs(pinnedSubject, { inputs: { audience: 'https://stdb.example.org' } })
    const none = await deployAs(pinnedSubject)
    expect(new Set(given.idTokens.audiences)).toEqual(new Set(['https://stdb.example.org']))
    expect(new Set(none.idTokens.audiences)).toEqual(new Set([undefined]))
  })

  test.concurrent('warns of a subject that is not pinned to an environment', async () => {
    const { main } = await deployAs(unpinnedSubject)
    expect(main.outputs.result).toBe('created')
    expect(main.annotations).toMatchObject([
      { level: 'warning', message: expect.stringMatching(/repo:octocat\/game:ref.*environment/) }
    ])
  })

  test.concurrent('is not the owner as another subject', async () => {
    const { database } = await deployAs(pinnedSubject)
    const other = await deployAs(unpinnedSubject, { database })
    expect(other.main).toMatchObject({ exitCode: 1, outputs: { result: 'failed' } })
    expect(errorsOf(other)).toMatchObject([{ message: expect.stringMatching(/[Nn]ot the owner/) }])
  })

  test.concurrent('refuses a subject that no server takes, before it asks one', async () => {
    const proxy = await startProxy(stage.server.url)
    closing.push(() => proxy.close())
    const long = await deployAs(longSubject, { inputs: { server: proxy.url } })
    expect(long.main.exitCode).toBe(1)
    expect(errorsOf(long)).toMatchObject([{ message: expect.stringMatching(/128/) }])
    expect(proxy.requests).toEqual([])
  })

  test.concurrent('names the permission that is missing', async () => {
    const inputs = { token: '', auth: 'oidc', create: 'true' }
    const deployed = await stage.deploy({ database: stage.newDatabase(), module: 'counter', inputs })
    expect(deployed.main.exitCode).toBe(1)
    expect(errorsOf(deployed)).toMatchObject([{ message: expect.stringMatching(/id-token: write/) }])
  })
})
