import { expect, test } from '@jest/globals'
import { type PlaceInputs, placeIn } from '../../actions/deploy/place.ts'
import { ConfigurationError } from '../../src/errors.ts'
import { scratch } from '../build/files.ts'

const { folder } = scratch()

const nothing: PlaceInputs = { server: undefined, database: undefined, environment: 'staging', path: undefined }
const base = { database: 'on-my-machine', server: 'local' }
const staging = { database: 'my-game-staging', server: 'https://stdb.example.org' }
const two = { children: [{ database: 'shard-1' }, { database: 'shard-2', server: 'maincloud' }], server: 'local' }

type Case = {
  readonly title: string
  readonly files: Readonly<Record<string, object>>
  readonly inputs?: Partial<PlaceInputs>
}

test.each<Case & { readonly place: object }>([
  {
    title: 'both as the environment has them',
    files: { 'spacetime.json': base, 'spacetime.staging.json': staging },
    place: { server: staging.server, database: staging.database }
  },
  {
    title: 'what inputs say comes first',
    files: { 'spacetime.json': base, 'spacetime.staging.json': staging },
    inputs: { server: 'https://other.example.org' },
    place: { server: 'https://other.example.org', database: staging.database }
  },
  {
    title: 'the server of the database that is named',
    files: { 'spacetime.json': two, 'spacetime.staging.json': {} },
    inputs: { database: 'shard-2' },
    place: { server: 'maincloud', database: 'shard-2' }
  },
  {
    title: 'beside the project that is built',
    files: { 'game/spacetime.json': base, 'game/spacetime.staging.json': staging },
    inputs: { path: 'game' },
    place: { server: staging.server, database: staging.database }
  }
])('$title', async ({ files, inputs, place }) => {
  expect(await placeOf(files, inputs)).toEqual(place)
})

test.each<Case & { readonly says: readonly RegExp[] }>([
  {
    title: 'an environment without a file',
    files: { 'spacetime.json': base },
    says: [/`server` and `database`/, /spacetime\.staging\.json/]
  },
  { title: 'no configuration at all', files: {}, inputs: { database: 'a' }, says: [/Give `server`,/, /checkout/] },
  {
    title: 'several databases',
    files: { 'spacetime.json': two, 'spacetime.staging.json': {} },
    says: [/several/, /`shard-1`, `shard-2`/, /`database`/]
  },
  {
    title: 'another database than is named',
    files: { 'spacetime.json': base, 'spacetime.staging.json': staging },
    inputs: { database: 'my-gaem' },
    says: [/`my-gaem`/, /`my-game-staging`/]
  },
  {
    title: 'a database without a server',
    files: { 'spacetime.json': { database: 'game' }, 'spacetime.staging.json': {} },
    says: [/no server/, /`server`/]
  },
  {
    title: 'a server that is none',
    files: { 'spacetime.json': { database: 'game', server: 'stdb.example.org' }, 'spacetime.staging.json': {} },
    says: [/`stdb\.example\.org`/, /https:\/\//]
  }
])('$title is an error that says what to do', async ({ files, inputs, says }) => {
  const thrown = await placeOf(files, inputs).then(
    () => undefined,
    (error: unknown) => error
  )
  expect(thrown).toBeInstanceOf(ConfigurationError)
  for (const part of says) expect((thrown as Error).message).toMatch(part)
})

async function placeOf(files: Case['files'], inputs: Case['inputs'] = {}) {
  const texts = Object.entries(files).map(([name, value]) => [name, JSON.stringify(value)] as const)
  return placeIn({ ...nothing, ...inputs }, await folder(Object.fromEntries(texts)))
}
