import { describe, expect, test } from '@jest/globals'
import { type PreviewFacts, renderComment, renderUpdate } from '../../src/preview/report.ts'
import { type Server, ServerFailure } from '../../src/spacetimedb/server.ts'
import { modelClock } from '../release/model-server.ts'
import { rows, wasm } from '../server/world.ts'
import { preparePreviews, type Updated } from './stage.ts'

const stage = preparePreviews()

const seed = `
seed:
  - sql: INSERT INTO counter (id, value) VALUES (41, 1)
  - call: increment_counter
    args: [41]
    times: 3
`

const factsOf = (update: Updated, database: string): PreviewFacts => ({
  preview: { prefix: database.replace(/-pr-7$/, ''), number: 7, database },
  server: stage.url,
  commit: 'f00dfeed'.padEnd(40, '0'),
  run: 'https://github.com/octocat/game/actions/runs/1',
  isSeeded: update.unfilledStates.length > 0
})

const counterOf = (database: string, id: number) =>
  rows(stage.owner, database, `SELECT value FROM counter WHERE id = ${id}`)

const liveHash = async (database: string) => (await stage.owner.client.live(database)).hash

describe('a new preview', () => {
  test('is created and filled once', async () => {
    const preview = stage.newPreview()
    const made = await stage.update(preview, 'counter', { seed })
    expect(made).toMatchObject({ result: 'created', unfilledStates: [true, false, false] })
    expect(await counterOf(preview.database, 41)).toEqual([[4]])
    const markdown = renderUpdate(made, factsOf(made, preview.database))
    expect(markdown).toContain(`\`${stage.url}/v1/database/${preview.database}\``)
    expect(markdown).toContain('the seed alone')
    expect(markdown).toContain('Fill the database')
    const again = await stage.update(preview, 'counter-additive', { seed })
    expect(again).toMatchObject({ result: 'updated', unfilledStates: [] })
    expect(await counterOf(preview.database, 41)).toEqual([[4]])
    expect(renderComment(again, factsOf(again, preview.database))).toContain('what was in it before')
    expect(await stage.update(preview, 'counter-additive', { seed })).toMatchObject({ result: 'unchanged' })
  })

  test('that can not be filled is deleted again, so that the next run does not take it for a whole one', async () => {
    const preview = stage.newPreview()
    const bad = `${seed}  - sql: INSERT INTO nowhere (id) VALUES (1)\n`
    const made = await stage.update(preview, 'counter', { seed: bad })
    expect(made).toMatchObject({ result: 'failed', unfilled: { kind: 'deleted' }, unfilledStates: [true, false] })
    expect(made.reason).toMatch(/^The preview could not be filled.\nseed.yml:7: sql INSERT INTO nowhere/)
    expect(renderUpdate(made, factsOf(made, preview.database))).not.toMatch(/kept|runs the new module/)
    expect(await stage.owner.client.resolve(preview.database)).toEqual({ kind: 'claimed' })
    const markdown = renderComment(made, factsOf(made, preview.database))
    expect(markdown).toContain('could not be filled, and is deleted again')
    expect(markdown).not.toContain('| Address')
    expect(await stage.update(preview, 'counter', { seed })).toMatchObject({ result: 'created' })
    expect(await counterOf(preview.database, 41)).toEqual([[4]])
  })

  test('is not begun with a seed that does not fit the module', async () => {
    const preview = stage.newPreview()
    const wrong = 'seed:\n  - call: no_such\n  - copy: all\n'
    await expect(stage.update(preview, 'counter', { seed: wrong })).rejects.toThrow(
      /seed.yml:3:\d+: A preview is filled by .*\nseed.yml:2:\d+: The module has no reducer or procedure `no_such`. It has: /
    )
    expect(await stage.owner.client.resolve(preview.database)).toEqual({ kind: 'free' })
  })

  test('whose creation nobody has seen the end of is left to the post step', async () => {
    const preview = stage.newPreview()
    const own = stage.owner.client
    const failure = new ServerFailure('interrupted', 'The connection broke.')
    let isSent = false
    const server: Server = {
      ...own,
      publishFirst: async () => {
        isSent = true
        return { kind: 'uncertain', failure }
      },
      resolve: (name) => (isSent ? Promise.reject(failure) : own.resolve(name))
    }
    const made = await stage.update(preview, 'counter', { seed, tools: { server, clock: modelClock() } })
    expect(made).toMatchObject({ result: 'unknown', unfilledStates: [true, true] })
  })

  test('whose module does not start leaves a reason', async () => {
    const preview = stage.newPreview()
    const made = await stage.update(preview, 'counter-init-fails')
    expect(made).toMatchObject({ result: 'failed', reason: expect.stringContaining('init refused on purpose') })
    expect(renderUpdate(made, factsOf(made, preview.database))).not.toContain('| Address')
  })

  test('that is unhealthy is kept, to be looked at', async () => {
    const preview = stage.newPreview()
    const made = await stage.update(preview, 'counter-unhealthy')
    expect(made).toMatchObject({ result: 'unhealthy' })
    const comment = renderComment(made, factsOf(made, preview.database))
    expect(comment).toContain('| Address')
    expect(comment).toContain('none yet, but what the module writes itself')
    expect(await liveHash(preview.database)).toBe(wasm('counter-unhealthy').hash)
  })
})

describe('a preview that is there', () => {
  test('is updated although clients break', async () => {
    const { preview } = await stage.madePreview()
    expect(await stage.update(preview, 'counter-new-columns')).toMatchObject({ result: 'updated' })
  })

  test('keeps an unhealthy module: it shows what the pull request is', async () => {
    const { preview } = await stage.madePreview()
    expect(await stage.update(preview, 'counter-unhealthy')).toMatchObject({ result: 'unhealthy' })
    expect(await liveHash(preview.database)).toBe(wasm('counter-unhealthy').hash)
  })

  test('is made anew and filled where the module can not be brought to it', async () => {
    const { preview, identity } = await stage.madePreview()
    const seedOfType = 'seed:\n  - call: increment_counter\n    args: [5]\n'
    const remade = await stage.update(preview, 'counter-column-removed', { seed: seedOfType })
    expect(remade).toMatchObject({
      result: 'remade',
      remadeBecause: 'the server can not migrate it in place',
      deployment: { result: 'created' }
    })
    expect(await stage.identityOf(preview.database)).toBe(identity)
    expect(await liveHash(preview.database)).toBe(wasm('counter-column-removed').hash)
    expect(await rows(stage.owner, preview.database, 'SELECT COUNT(*) AS n FROM counter WHERE id = 5')).toEqual([[1]])
    const markdown = renderUpdate(remade, factsOf(remade, preview.database))
    expect(markdown).toContain('was deleted and made anew')
    expect(markdown).toContain('the data that was in it is gone')
  })

  test('is made anew where its data does not allow the migration', async () => {
    const { preview } = await stage.madePreview('counter-additive')
    await stage.owner.client.call(preview.database, 'increment_counter', [1])
    expect(await stage.update(preview, 'counter')).toMatchObject({
      result: 'remade',
      remadeBecause: 'its data does not allow the migration'
    })
  })

  test('stays as it is where that is not wanted, or only tried', async () => {
    const { preview } = await stage.madePreview()
    const kept = await stage.update(preview, 'counter-column-type', { remaking: 'never' })
    expect(kept).toMatchObject({ result: 'refused' })
    const comment = renderComment(kept, factsOf(kept, preview.database))
    expect(comment).toContain("The server can't migrate the database in place")
    expect(comment).toContain('It runs the module that it ran before, not that of this commit.')
    const tried = await stage.update(preview, 'counter-column-type', { dryRun: true })
    expect(tried).toMatchObject({ result: 'planned', remadeBecause: 'the server can not migrate it in place' })
    expect(renderUpdate(tried, factsOf(tried, preview.database))).toContain('would be deleted and made anew: a dry run')
    expect(await liveHash(preview.database)).toBe(wasm('counter').hash)
  })

  test('is made anew each time where that is wanted', async () => {
    const { preview } = await stage.madePreview()
    await stage.owner.client.call(preview.database, 'increment_counter', [9])
    expect(await stage.update(preview, 'counter', { remaking: 'always' })).toMatchObject({ result: 'remade' })
    expect(await counterOf(preview.database, 9)).toEqual([])
  })
})

describe('what is no preview is not published to', () => {
  test("production under a stranger's name", async () => {
    const [preview, production] = [stage.newPreview(), await stage.create('counter')]
    await stage.other.send('POST', `/database/${production}/names`, { body: preview.database })
    const refused = await stage.update(preview, 'counter-additive', { remaking: 'always' })
    expect(refused).toMatchObject({ result: 'refused', reason: expect.stringContaining(`"${production}"`) })
    expect(await liveHash(production)).toBe(wasm('counter').hash)
    expect(renderUpdate(refused, factsOf(refused, preview.database))).toContain('was not touched')
    await stage.owner.client.delete((await stage.identityOf(production)) ?? fail())
  })

  test("somebody else's database", async () => {
    const preview = stage.newPreview()
    stage.made.push(preview.database)
    await stage.other.client.publishFirst(preview.database, wasm('counter'))
    expect(await stage.update(preview, 'counter-additive')).toMatchObject({ result: 'refused' })
  })

  test.each(['absent', 'there'])('production that gets the name in between, the preview being %s', async (before) => {
    const preview = before === 'there' ? (await stage.madePreview()).preview : stage.newPreview()
    const production = await stage.create('counter')
    const elsewhere = await stage.owner.client.resolve(production)
    // The first two looks are those of the proof; a free name needs one.
    let looks = before === 'there' ? 2 : 1
    const own = stage.owner.client
    const server: Server = {
      ...own,
      resolve: (name) => (name === preview.database && looks-- <= 0 ? Promise.resolve(elsewhere) : own.resolve(name))
    }
    const update = await stage.update(preview, 'counter-additive', { tools: { server } })
    expect(update).toMatchObject({ result: 'failed', reason: expect.stringContaining('leads to another database') })
    expect(await liveHash(production)).toBe(wasm('counter').hash)
  })
})

function fail(): never {
  throw new Error('it is not there')
}
