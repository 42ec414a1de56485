import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { fixtureModule } from '../fixtures.ts'
import { rustProject, startBuildStage } from './build-stage.ts'
import { dist, hashOf } from './stage.ts'

/** Several tests run at a time, perhaps on a machine with other work. */
jest.setTimeout(90_000)

const stage = await startBuildStage()
const { github } = stage

afterAll(() => stage.close())

/** A branch of its own for each test, so that none finds what another has built. */
let branches = 0
const newBranch = () => `base-${++branches}`

/** Plans the module in a pull request to a branch, without any secret of the repository. */
async function planAgainst(base: string, permissions: Readonly<Record<string, 'read' | 'write'>>) {
  const run = github.startRun({ branch: 'feature', pullRequest: { number: 7, base, fromFork: true } })
  const { job } = run.startJob({ dist, permissions })
  writeFileSync(join(job.workspace, 'module.wasm'), fixtureModule('counter-reducer-param.wasm'))
  try {
    const inputs = { module: 'module.wasm', comment: 'false', 'report-only': 'true', 'upload-plan': 'false' }
    return await job.run({ action: 'migrate-schema', inputs })
  } finally {
    job.end()
  }
}

describe('a pull request is compared with what its base branch built', () => {
  test.concurrent('the newest module of that branch', async () => {
    const branch = newBranch()
    for (const module of ['counter-additive', 'counter']) {
      const { main } = await stage.build({ run: github.startRun({ branch }), files: rustProject(module) })
      expect(main.exitCode).toBe(0)
    }
    const planned = await planAgainst(branch, { actions: 'read' })
    expect(planned).toMatchObject({
      exitCode: 0,
      outputs: { verdict: 'breaks-clients', exists: 'true', 'previous-module-hash': hashOf('counter') }
    })
    expect(planned.summary).toContain(`Compared with branch ${branch}, commit `)
  })

  test.concurrent('which has built nothing yet: there is nothing to compare with, and the job passes', async () => {
    const planned = await planAgainst(newBranch(), { actions: 'read' })
    expect(planned).toMatchObject({ exitCode: 0, outputs: { result: 'planned', verdict: 'none', exists: 'false' } })
    expect(planned.summary).toMatch(/^### ℹ️ Nothing to compare with: branch base-\d+: no run of the branch/)
  })

  test.concurrent('never with what a fork built under the same name', async () => {
    const branch = newBranch()
    const fork = github.startRun({ branch, pullRequest: { number: 8, fromFork: true } })
    expect((await stage.build({ run: fork, files: rustProject('counter') })).main.exitCode).toBe(0)
    expect(await planAgainst(branch, { actions: 'read' })).toMatchObject({ outputs: { exists: 'false' } })
  })

  test.concurrent('without the permission to look, the summary names it', async () => {
    const planned = await planAgainst(newBranch(), {})
    expect(planned).toMatchObject({ exitCode: 0, outputs: { exists: 'false' } })
    expect(planned.summary).toContain('actions: read')
  })

  test.concurrent('by the artifact of the run itself, in a job that builds nothing', async () => {
    const branch = newBranch()
    expect((await stage.build({ run: github.startRun({ branch }), files: rustProject('counter') })).main.exitCode).toBe(
      0
    )
    const run = github.startRun({ branch: 'feature', pullRequest: { number: 9, base: branch, fromFork: true } })
    expect((await stage.build({ run, files: rustProject('counter-additive') })).main.exitCode).toBe(0)
    const { job } = run.startJob({ dist, permissions: { actions: 'read' } })
    try {
      const inputs = { artifact: 'module', comment: 'false', 'upload-plan': 'false' }
      expect(await job.run({ action: 'migrate-schema', inputs })).toMatchObject({
        exitCode: 0,
        outputs: {
          verdict: 'compatible',
          'module-hash': hashOf('counter-additive'),
          'previous-module-hash': hashOf('counter')
        }
      })
    } finally {
      job.end()
    }
  })
})
