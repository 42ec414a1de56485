import { existsSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { hashModule } from '../../src/module/hash.ts'
import type { Module } from '../../src/module/module.ts'
import type { ModuleSource } from '../../src/release/module-sources.ts'
import { recover } from '../../src/release/recover.ts'
import { hasRolledBack, type Rollback, rollback } from '../../src/release/rollback/rollback.ts'
import { renderRollback, renderRollbackRecovery } from '../../src/release/rollback/summary.ts'
import type { RollbackRequest } from '../../src/release/rollback/work.ts'
import type { Server } from '../../src/spacetimedb/server.ts'
import { scratch } from '../build/files.ts'
import { breaking, foreign, next, old, sick, Trial } from './ledger/trial.ts'
import { moduleOf, them } from './model-server.ts'

const { folder } = scratch()
const oldest = moduleOf('oldest')
/** Whose bytes somebody has. */
const known = [oldest, old, next, sick, breaking, foreign]

const somewhere: ModuleSource = {
  name: 'a cupboard',
  fetch: async (hash) => known.find((module) => module.hash === hash)
}

/** A database that runs the last of some modules, each of which was released. */
async function trialOf(...modules: readonly Module[]): Promise<Trial> {
  const trial = new Trial(await folder(), modules.at(-1))
  for (const [at, module] of modules.entries()) {
    trial.released(module, { commit: `${at}`.repeat(40), ref: `refs/tags/v${at}` })
  }
  return trial
}

function goBack(
  trial: Trial,
  to: string | Module = 'previous',
  { sources = [somewhere], ledger = true, ...request }: Options = {}
): Promise<Rollback> {
  const asked: RollbackRequest = {
    database: 'game',
    goal: typeof to === 'string' ? { kind: 'release', to } : { kind: 'module', module: to, path: 'given.wasm' },
    allowBreakingClients: false,
    allowIrreversible: false,
    healthCheck: { kind: 'auto' },
    healthTimeout: 1000,
    dryRun: false,
    notes: { action: 'rollback', commit: 'f'.repeat(40), run: 'https://github.example/runs/9', reason: 'It is down.' },
    ...request
  }
  const tools = trial.tools(ledger ? trial.ledger : undefined)
  return rollback(asked, { ...tools, sourcesFor: () => sources })
}

type Options = Partial<RollbackRequest> & { sources?: readonly ModuleSource[]; ledger?: boolean }

describe('a rollback', () => {
  test('restores the release before the live one, and is written down as what it is', async () => {
    const trial = await trialOf(oldest, old, next)
    const done = await goBack(trial)
    expect(done).toMatchObject({
      ending: { result: 'rolled-back', live: { kind: 'new' } },
      target: { hash: old.hash, release: { id: 2 } },
      liveHash: next.hash,
      source: 'a cupboard'
    })
    expect(hasRolledBack(done.ending)).toBe(true)
    expect(trial.model.state.live?.hash).toBe(old.hash)
    expect(trial.ledger.entries.at(-1)).toMatchObject({
      record: { action: 'rollback', restores: 2, commit: '1'.repeat(40), ref: 'refs/tags/v1', reason: 'It is down.' },
      ending: { result: 'rolled-back', isChecked: true }
    })
    expect(trial.ledger.entry(3).isRetired).toBe(true)
    expect(await trial.hasDrift()).toBe(false)
  })

  test('done twice goes back two releases, and then there is none before', async () => {
    const trial = await trialOf(oldest, old, next)
    await goBack(trial)
    expect((await goBack(trial)).ending.result).toBe('rolled-back')
    expect(trial.model.state.live?.hash).toBe(oldest.hash)
    const third = await goBack(trial)
    expect(third.ending).toMatchObject({ result: 'failed', live: { kind: 'previous' } })
    expect(third.ending.reason).toMatch(/no release .*ended well/)
  })

  test.each<[string, string, Module]>([
    ['an id', '1', oldest],
    ['a commit', '0000000', oldest],
    ['a version tag', 'v1', old],
    ['the hash of a module', old.hash, old],
    ['a hash in capital letters', old.hash.toUpperCase(), old],
    ['the hash of a module that is in no release', foreign.hash, foreign]
  ])('goes to %s', async (_, to, module) => {
    const trial = await trialOf(oldest, old, next)
    expect((await goBack(trial, to)).ending.result).toBe('rolled-back')
    expect(trial.model.state.live?.hash).toBe(module.hash)
  })

  test('goes to a file, which is known by the ledger where it was a release', async () => {
    const trial = await trialOf(oldest, old, next)
    expect((await goBack(trial, oldest, { sources: [] })).ending.result).toBe('rolled-back')
    expect(trial.ledger.entries.at(-1)?.record).toMatchObject({ restores: 1, commit: '0'.repeat(40) })
    const unknown = await goBack(trial, foreign, { sources: [] })
    expect(unknown.ending.result).toBe('rolled-back')
    expect(renderRollback(unknown)).toContain(`${foreign.hash}\`, of no release in the ledger`)
    const { record } = trial.ledger.entries.at(-1) ?? {}
    expect(record).toMatchObject({ action: 'rollback', moduleHash: foreign.hash })
    expect(record?.restores).toBeUndefined()
    expect(record?.commit).toBeUndefined()
  })

  test('to what is live changes nothing, and checks it', async () => {
    const trial = await trialOf(old, next)
    const done = await goBack(trial, '2')
    expect(done.ending.result).toBe('unchanged')
    expect(done.deployment?.healthCheck).toBe('health_check')
    expect(trial.model.requests).not.toContain('publish')
  })

  test('to what is live and not well says that nothing was restored', async () => {
    const trial = await trialOf(old, sick)
    const done = await goBack(trial, '2')
    expect(done.ending).toMatchObject({ result: 'unhealthy', live: { kind: 'new' } })
    const text = renderRollback(done)
    expect(text).toMatch(/runs release 2 .* already, and its checks failed/)
    expect(text).not.toMatch(/was restored|again,/)
  })

  test('that makes a deleted database anew does not say that its data is there', async () => {
    const trial = await trialOf(old, next)
    const { model } = trial
    const publishUpdate: Server['publishUpdate'] = async () => {
      model.state.live = old
      return { kind: 'published', operation: 'created', identity: model.databaseIdentity }
    }
    Object.assign(model.server, { publishUpdate })
    const done = await goBack(trial)
    expect(done.ending).toMatchObject({ result: 'unhealthy', live: { kind: 'new' } })
    const text = renderRollback(done)
    expect(text).toMatch(/The database now:.* it is empty/)
    expect(text).not.toMatch(/still there|its checks failed|was written since/)
  })

  test('of what somebody published by hand goes to the newest good release, and that is kept on record', async () => {
    const trial = await trialOf(oldest, old)
    trial.model.state.live = foreign
    const done = await goBack(trial)
    expect(done).toMatchObject({ ending: { result: 'rolled-back' }, target: { hash: old.hash } })
    expect(done.deployment?.drift?.liveHash).toBe(foreign.hash)
    expect(trial.ledger.entries.map(({ record }) => record.action)).toEqual(['deploy', 'deploy', 'adopt', 'rollback'])
    const stopped = await trialOf(oldest, old)
    stopped.model.state.live = foreign
    expect((await goBack(stopped, 'previous', { onDrift: 'fail' })).ending).toMatchObject({ result: 'refused' })
    expect(stopped.model.state.live).toBe(foreign)
  })

  test('of a release that was kept although unhealthy goes to the last good one, past those that failed', async () => {
    const trial = await trialOf(oldest, old)
    trial.ledger.add(trial.record(foreign), { result: 'failed', isChecked: false })
    trial.ledger.add(trial.record(breaking), { result: 'rolled-back', isChecked: false })
    trial.ledger.add(trial.record(sick), { result: 'unhealthy', isChecked: false })
    trial.model.state.live = sick
    const done = await goBack(trial)
    expect(done).toMatchObject({ ending: { result: 'rolled-back' }, target: { release: { id: 2 } } })
    expect(done.liveRelease?.id).toBe(5)
    expect(done.deployment?.drift).toBeUndefined()
    expect(renderRollback(done)).toMatch(/The release that was live \| release 5 of/)
  })

  test('shows what it would do, and does nothing, in a dry run', async () => {
    const trial = await trialOf(oldest, old, next)
    const done = await goBack(trial, 'previous', { dryRun: true })
    expect(done.ending.result).toBe('planned')
    expect(trial.model.requests).not.toContain('publish')
    expect(trial.ledger.entries).toHaveLength(3)
    const text = renderRollback(done)
    expect(text).toMatch(/can be rolled back to release 2 .*v1, commit 111111111111.*: a dry run/)
    expect(text).toContain('`to: 2`')
  })

  test('that takes something from clients needs to be told so', async () => {
    const trial = await trialOf(breaking, next)
    const refused = await goBack(trial)
    expect(refused.ending).toMatchObject({ result: 'refused', live: { kind: 'previous' } })
    expect(renderRollback(refused)).toMatch(/\*\*Goes away:\*\* reducer `spawn`/)
    expect((await goBack(trial, 'previous', { allowBreakingClients: true })).ending.result).toBe('rolled-back')
  })

  test('keeps what it restored when that is not healthy', async () => {
    const trial = await trialOf(sick, next)
    const done = await goBack(trial)
    expect(done.ending).toMatchObject({ result: 'unhealthy', live: { kind: 'new' } })
    expect(trial.model.state.live?.hash).toBe(sick.hash)
    expect(trial.ledger.entries.at(-1)?.ending?.result).toBe('unhealthy')
    expect(renderRollback(done)).toContain('it runs the release that was restored')
  })
})

describe('the bytes', () => {
  test('come from the next source when one has none or others, and what was tried is told', async () => {
    const wrong: ModuleSource = { name: 'a wrong one', fetch: async () => foreign }
    const expired: ModuleSource = { name: 'an artifact', fetch: () => Promise.reject(new Error('it has expired')) }
    const trial = await trialOf(old, next)
    const done = await goBack(trial, 'previous', { sources: [expired, wrong, somewhere] })
    expect(done.ending.result).toBe('rolled-back')
    const text = renderRollback(done)
    expect(text).toContain('an artifact: it has expired')
    expect(text).toContain(`what it has is another module: ${foreign.hash}`)
  })

  test('that nobody has stop it, with what was tried and what to give instead', async () => {
    const trial = await trialOf(old, next)
    const none: ModuleSource = { name: 'an artifact', fetch: async () => undefined }
    const done = await goBack(trial, 'previous', { sources: [none] })
    expect(done.ending).toMatchObject({ result: 'failed', live: { kind: 'previous' } })
    expect(done.ending.reason).toMatch(/were not found.*\n- an artifact: it is not there\.\n.*give it as `module`/)
    expect(trial.model.requests).not.toContain('publish')
  })

  test('are saved for a post step', async () => {
    const trial = await trialOf(old, next)
    await goBack(trial)
    const { next: saved } = trial.checkpoints.at(-1) ?? {}
    expect(saved?.hash).toBe(old.hash)
    expect(existsSync(saved?.path ?? '')).toBe(true)
  })
})

describe('without a ledger', () => {
  test('nobody knows what was before, and what to give instead is said', async () => {
    const trial = await trialOf(old, next)
    const done = await goBack(trial, 'previous', { ledger: false })
    expect(done.ending).toMatchObject({ result: 'failed', live: { kind: 'previous' } })
    expect(done.ending.reason).toMatch(/needs the ledger.*`deployments: read`.*`module`/)
  })

  test('a hash is enough', async () => {
    const trial = await trialOf(old, next)
    const done = await goBack(trial, old.hash, { ledger: false })
    expect(done.ending.result).toBe('rolled-back')
    expect(renderRollback(done)).not.toContain('of no release')
  })

  test('that may be read, a name is not enough and a hash is', async () => {
    const trial = await trialOf(old, next)
    trial.ledger.always.releases = 'forbidden'
    const done = await goBack(trial)
    expect(done.ending.reason).toMatch(/could not be found out. The token may not.*`module`/)
    expect((await goBack(trial, old.hash)).ending.result).toBe('rolled-back')
    expect(trial.warnings.join('\n')).toContain('The ledger could not be read')
    expect(renderRollback(done)).not.toContain('of no release')
  })
})

describe('a live module that lets nobody read it', () => {
  test('is left for the release before the newest, when a plan proves that it is the newest', async () => {
    const trial = await trialOf(oldest, old, next)
    trial.model.state.closed = next
    const refused = await goBack(trial)
    expect(refused.ending).toMatchObject({ result: 'refused' })
    expect(refused.ending.reason).toContain('allow-irreversible: true')
    const done = await goBack(trial, 'previous', { allowIrreversible: true })
    expect(done).toMatchObject({ ending: { result: 'rolled-back' }, target: { release: { id: 2 } } })
    expect(trial.model.state.live?.hash).toBe(old.hash)
  })

  test('is not left when it is somebody else’s', async () => {
    const trial = await trialOf(oldest, old, next)
    trial.model.state.live = foreign
    trial.model.state.closed = foreign
    const done = await goBack(trial, 'previous', { allowIrreversible: true })
    expect(done.ending).toMatchObject({ result: 'failed', reason: expect.stringContaining('Say where to go') })
    expect(trial.model.requests).not.toContain('publish')
  })
})

describe('at the same time', () => {
  test('two rollbacks to different releases: one wins, and the other says who did', async () => {
    const trial = await trialOf(oldest, old, next)
    const both = await Promise.all([goBack(trial, '1'), goBack(trial, '2')])
    const [loser, winner] = both.sort((one, other) => one.ending.result.localeCompare(other.ending.result))
    expect(winner?.ending.result).toBe('rolled-back')
    expect(trial.model.state.live?.hash).toBe(winner?.target?.hash)
    const live = { kind: 'other', hash: winner?.target?.hash }
    expect(loser?.ending).toMatchObject({ result: 'failed', live })
    expect(loser?.ending.reason).toMatch(
      /Somebody else published.*By the ledger it is release [45].*Nothing of this rollback/
    )
    expect(loser && renderRollback(loser)).toContain('make a dry run')
  })

  test('what somebody publishes while the bytes are fetched is not published over', async () => {
    const trial = await trialOf(oldest, old, next)
    const slow: ModuleSource = {
      name: 'a far cupboard',
      fetch: async (hash) => {
        trial.released(foreign)
        trial.model.state.live = foreign
        return somewhere.fetch(hash)
      }
    }
    const done = await goBack(trial, 'previous', { sources: [slow] })
    expect(done.ending).toMatchObject({ result: 'failed', live: { kind: 'other', hash: foreign.hash } })
    expect(done.ending.reason).toMatch(
      /Somebody else published.*By the ledger it is release 4.*Nothing of this rollback/
    )
    expect(trial.model.state.live).toBe(foreign)
    expect(trial.model.requests).not.toContain('publish')
    expect(trial.ledger.entries).toHaveLength(4)
  })

  test('two rollbacks to one release: both say that it is live, and one that it was there already', async () => {
    const trial = await trialOf(old, next)
    const both = await Promise.all([goBack(trial), goBack(trial)])
    expect(both.map(({ ending }) => ending.result).sort()).toEqual(['rolled-back', 'unchanged'])
    expect(trial.warnings).toContain('Another job published this very module in between.')
  })
})

describe('nothing is changed', () => {
  test.each<[string, (trial: Trial) => unknown, RegExp]>([
    ['there is no database', ({ model }) => Reflect.deleteProperty(model.state, 'live'), /There is no database "game"/],
    ['it is somebody else’s', ({ model }) => Object.assign(model.state, { owner: them }), /Not the owner/],
    ['the job is cancelled', ({ cancellation }) => cancellation.abort(), /cancelled before anything was changed/],
    ['the server is away', ({ model }) => model.faults.resolve.push('unreachable'), /nobody answers/]
  ])('when %s', async (_, arrange, reason) => {
    const trial = await trialOf(old, next)
    arrange(trial)
    const done = await goBack(trial)
    expect(done.ending).toMatchObject({ result: 'failed', reason: expect.stringMatching(reason) })
    expect(hasRolledBack(done.ending)).toBe(false)
    expect(renderRollback(done)).toContain('this rollback changed nothing')
    expect(trial.model.requests).not.toContain('publish')
  })
})

describe('a rollback that was cut off', () => {
  const load = async (path: string): Promise<Module> => {
    const { readFile } = await import('node:fs/promises')
    const bytes = await readFile(path)
    return { bytes, hash: hashModule(bytes), kind: 'wasm' }
  }

  test.each<[string, Module, string, RegExp]>([
    ['after it went live', old, 'unhealthy', /Not checked: `game` runs module f6832a2ac9bb again/],
    ['before it went live', next, 'failed', /it runs the release that was live before/],
    ['and overtaken', foreign, 'failed', /runs somebody else's module/]
  ])('%s leaves the release that is live, and says which that is', async (_, live, result, says) => {
    const trial = await trialOf(old, next)
    await goBack(trial)
    const cut = trial.checkpoints.find(({ phase }) => phase === 'changing')
    if (cut === undefined) throw new Error('nothing was saved before the publish')
    trial.model.state.live = live
    const ending = await recover(trial.server, cut, load, trial.clock)
    expect(ending?.result).toBe(result)
    expect(trial.model.state.live).toBe(live)
    const text = renderRollbackRecovery(cut, ending ?? { result: 'unknown', live: { kind: 'unknown' } })
    expect(text).toMatch(says)
    expect(text).not.toMatch(/new module|previous module|deploy/)
  })
})
