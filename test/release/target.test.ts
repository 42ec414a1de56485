import { describe, expect, test } from '@jest/globals'
import { ConfigurationError } from '../../src/errors.ts'
import { type TargetRequest, targetOf } from '../../src/release/target.ts'
import { modelServer, moduleOf, them, us } from './model-server.ts'

const live = moduleOf('live')
const organization = 'c2'.padEnd(64, 'a')

async function resolve(start: Parameters<typeof modelServer>[0], request: Partial<TargetRequest> = {}) {
  const { server } = modelServer(start)
  const resolution = await server.resolve('db')
  return targetOf(resolution, { server: server.url, database: 'db', create: false, identity: us, ...request })
}

describe('targetOf', () => {
  test('our database is the target', async () => {
    expect(await resolve({ live })).toMatchObject({ kind: 'existing' })
  })

  test('a database that is there is not created, also with create', async () => {
    expect(await resolve({ live }, { create: true })).toMatchObject({ kind: 'existing' })
  })

  test.each([
    [false, { kind: 'new', claimed: false }],
    [true, { kind: 'new', claimed: true }]
  ])('a name without a database is created when that is wanted (claimed: %s)', async (claimed, target) => {
    expect(await resolve({ claimed }, { create: true })).toEqual(target)
  })

  test.each([
    ['a free name without create', {}, {}, /There is no database "db".*create: true.*c20000/],
    ['a claimed name without create', { claimed: true }, {}, /claimed.*its first publish failed/],
    ['an identity that is not there', {}, { database: them, create: true }, /identity can't be created/],
    ['somebody else’s database', { live, owner: them }, {}, /Not the owner.*c21111.*this job is c20000/],
    ['another organization’s database', { live, owner: them }, { organization }, /Not the owner/]
  ])('%s is refused', async (_name, start, request, message) => {
    await expect(resolve(start, request)).rejects.toThrow(ConfigurationError)
    await expect(resolve(start, request)).rejects.toThrow(message)
  })

  test.each([organization, 'acme'])('the organization %s may own the database', async (named) => {
    const owner = organization as typeof us
    expect(await resolve({ live, owner }, { organization: named })).toMatchObject({ kind: 'existing' })
  })
})
