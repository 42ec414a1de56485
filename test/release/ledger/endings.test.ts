import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Module } from '../../../src/module/module.ts'
import { checkpointSchema } from '../../../src/release/checkpoint.ts'
import type { Result } from '../../../src/release/deployment.ts'
import { renderDeployment } from '../../../src/release/summary.ts'
import type { DeployRequest } from '../../../src/release/work.ts'
import type { Fault } from '../model-server.ts'
import { breaking, foreign, next, old, sick, stepOf, Trial } from './trial.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'release-ledger-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

type Case = {
  readonly name: string
  /** `undefined`: there is no database. */
  readonly live: Module | undefined
  readonly request?: Partial<DeployRequest>
  readonly arrange?: (trial: Trial) => void
  readonly result: Result
  readonly after: Module | undefined
  /** What is written down of this release; nothing. */
  readonly written: Result | undefined
  readonly isChecked?: boolean
  /** Whether the release before it is shown as one that is not live any more. */
  readonly isRetired?: boolean
  readonly says?: RegExp
}

const always = (fault: Fault) => Array<Fault>(1000).fill(fault)
const nothing = () => {}

const cases: Case[] = [
  {
    name: 'a first release',
    live: undefined,
    request: { create: true },
    result: 'created',
    after: next,
    written: 'created',
    isChecked: true
  },
  {
    name: 'a first release that is refused by the server',
    live: undefined,
    request: { create: true },
    arrange: ({ model }) => model.faults.publish.push(...always('not-sent')),
    result: 'failed',
    after: undefined,
    written: 'failed'
  },
  {
    name: 'a first release of another job of ours, which was quicker',
    live: undefined,
    request: { create: true },
    arrange: ({ model }) =>
      model.faults.publish.push(() => {
        model.state.live = next
      }),
    result: 'unchanged',
    after: next,
    written: 'unchanged',
    isChecked: true
  },
  {
    name: 'a first release that another one overtakes',
    live: undefined,
    request: { create: true },
    arrange: (trial) =>
      trial.model.faults.publish.push(() => {
        trial.ledger.by = 'hubot'
        trial.ledger.add(trial.record(foreign, { run: 'https://github.example/runs/8' }))
        trial.model.state.live = foreign
      }),
    result: 'failed',
    after: foreign,
    written: 'failed',
    says: /By the ledger it is release 2 of hubot: https:\/\/github\.example\/runs\/8/
  },
  {
    name: 'an update',
    live: old,
    result: 'updated',
    after: next,
    written: 'updated',
    isChecked: true,
    isRetired: true
  },
  {
    name: 'an update that is not checked',
    live: old,
    request: { healthCheck: { kind: 'none' } },
    result: 'updated',
    after: next,
    written: 'updated',
    isRetired: true
  },
  { name: 'a dry run', live: old, request: { dryRun: true }, result: 'planned', after: old, written: undefined },
  { name: 'the live module', live: next, result: 'unchanged', after: next, written: undefined },
  {
    name: 'a release that the gate refuses',
    live: old,
    request: { module: breaking },
    result: 'refused',
    after: old,
    written: undefined
  },
  {
    name: 'a step before the publish that fails',
    live: old,
    request: { steps: { before: [stepOf('fails')], after: [] } },
    result: 'failed',
    after: old,
    written: 'failed'
  },
  {
    name: 'a step after the publish that fails',
    live: old,
    request: { steps: { before: [stepOf('works')], after: [stepOf('fails')] } },
    result: 'rolled-back',
    after: old,
    written: 'rolled-back'
  },
  {
    name: 'a publish that is never answered',
    live: old,
    arrange: ({ model }) => model.faults.publish.push('lost-before', 'lost-before', 'lost-before'),
    result: 'failed',
    after: old,
    written: 'failed'
  },
  {
    name: 'a database that somebody deletes in between',
    live: old,
    arrange: ({ model }) =>
      model.faults.publish.push(() => {
        delete model.state.live
      }),
    result: 'failed',
    after: undefined,
    written: 'failed'
  },
  {
    name: 'a release that another one overtakes',
    live: old,
    arrange: (trial) =>
      trial.model.faults.publish.push(() => {
        trial.ledger.by = 'hubot'
        trial.ledger.add(trial.record(foreign, { run: 'https://github.example/runs/8' }))
        trial.model.state.live = foreign
      }),
    result: 'failed',
    after: foreign,
    written: 'failed',
    says: /Somebody else published.*By the ledger it is release 3 of hubot: https:\/\/github\.example\/runs\/8/
  },
  {
    name: 'a release that somebody overtakes past the ledger',
    live: old,
    arrange: ({ model }) =>
      model.faults.publish.push(() => {
        model.state.live = foreign
      }),
    result: 'failed',
    after: foreign,
    written: 'failed',
    says: /The ledger has no release of it/
  },
  {
    name: 'a sick release',
    live: old,
    request: { module: sick },
    result: 'rolled-back',
    after: old,
    written: 'rolled-back'
  },
  {
    name: 'a sick release that is kept',
    live: old,
    request: { module: sick, onFailure: 'keep' },
    result: 'unhealthy',
    after: sick,
    written: 'unhealthy',
    isRetired: true
  },
  {
    name: 'a sick release that can not be taken back',
    live: old,
    request: { module: sick },
    arrange: ({ model }) => model.faults.publish.push(nothing, ...always('not-sent')),
    result: 'rollback-failed',
    after: sick,
    written: 'rollback-failed',
    isRetired: true
  },
  {
    name: 'a server that goes away',
    live: old,
    arrange: ({ model }) => model.faults.live.push(nothing, ...always('unreachable')),
    result: 'unknown',
    after: next,
    written: 'unknown'
  },
  {
    name: 'a job that is cancelled before the publish',
    live: old,
    arrange: ({ ledger, cancellation }) => ledger.faults.begin.push(() => cancellation.abort()),
    result: 'failed',
    after: old,
    written: 'failed'
  },
  {
    name: 'a job that is cancelled before its first release',
    live: undefined,
    request: { create: true },
    arrange: ({ ledger, cancellation }) => ledger.faults.begin.push(() => cancellation.abort()),
    result: 'failed',
    after: undefined,
    written: 'failed'
  },
  {
    name: 'a rollback',
    live: old,
    request: { notes: { action: 'rollback', restores: 1 }, onFailure: 'keep' },
    result: 'updated',
    after: next,
    written: 'rolled-back',
    isChecked: true,
    isRetired: true
  }
]

describe('the ledger tells how a deploy ended', () => {
  test.each(cases)('$name: $result', async (each) => {
    const { live, request, arrange, result, after, written, isChecked = false, isRetired = false, says = /./ } = each
    const trial = new Trial(folder, live)
    const before = live && trial.released(live)
    arrange?.(trial)
    const deployment = await trial.deploy(request)
    expect(deployment).toMatchObject({ result })
    expect(trial.model.state.live).toBe(after)
    const entry = trial.ledger.entries[live ? 1 : 0]
    expect(entry?.ending?.result).toBe(written)
    expect(entry?.ending?.isChecked ?? false).toBe(isChecked)
    expect(before?.isRetired ?? false).toBe(isRetired)
    expect(await trial.hasDrift()).toBe(after === foreign && trial.ledger.entries.length === 2 && live === old)
    const summary = renderDeployment(deployment)
    expect(deployment.reason ?? 'nothing').toMatch(says)
    if (entry) expect(summary).toContain(`[${entry.id}](https://github.example/releases/${entry.id})`)
    expect(deployment.ledgerWarning).toBeUndefined()
    expect(trial.checkpoints.at(-1)?.unwritten).toBeUndefined()
    for (const checkpoint of trial.checkpoints) expect(checkpointSchema.safeParse(checkpoint).success).toBe(true)
  })
})
