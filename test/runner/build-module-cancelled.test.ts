import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, describe, expect, jest, test } from '@jest/globals'
import { unavailable } from '../stand-ins/results-service.ts'
import { type BuildOptions, type Built, rustProject, startBuildStage } from './build-stage.ts'

jest.setTimeout(120_000)

const stage = await startBuildStage()
const bin = mkdtempSync(join(tmpdir(), 'cli-'))
afterAll(async () => {
  await stage.close()
  rmSync(bin, { recursive: true, force: true })
})

const errors = ({ main, post }: Built) =>
  [...main.annotations, ...post.annotations].filter(({ level }) => level === 'error')

/** Builds where the CLI that is in PATH is this script. */
function buildWithCli(script: string, { inputs, ...options }: Omit<BuildOptions, 'files'> = {}): Promise<Built> {
  writeFileSync(join(bin, 'spacetime'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(bin, 'spacetime'), 0o755)
  const env = { PATH: [bin, stage.path].join(delimiter) }
  const off = { cache: 'false', 'upload-artifact': 'false' }
  return stage.build({ files: rustProject('counter'), env, inputs: { ...off, ...inputs }, ...options })
}

describe('a CLI in PATH that does not run', () => {
  const broken = 'echo "not found: GLIBC_2.39" >&2; exit 1'

  test('is nothing to a build without it', async () => {
    expect(errors(await buildWithCli(broken))).toEqual([])
  })

  test.each([{ builder: 'auto' }, { builder: 'cli' }, { bindings: 'ts:client' }])(
    'fails a step with %j',
    async (inputs) => {
      const [error, ...more] = errors(await buildWithCli(broken, { inputs }))
      expect(more).toEqual([])
      expect(error?.message).toMatch(/`spacetime --version` failed with exit code 1 \(not found: GLIBC_2\.39\)/)
    }
  )
})

describe('a step of a job that is cancelled says so, and ends at once', () => {
  const cancelled = [{ title: 'build-module: cancelled', message: 'The job was cancelled.' }]

  test('while the CLI is asked for its version', async () => {
    const built = await buildWithCli('kill -INT $PPID; sleep 60', { inputs: { builder: 'cli' } })
    expect(errors(built)).toMatchObject(cancelled)
    expect(built.main.duration).toBeLessThan(20_000)
  })

  test('while the module is kept', async () => {
    stage.github.results.faults.push(unavailable('CreateArtifact'))
    const { main, post } = await stage.build({
      files: rustProject('counter'),
      onLine: (text, step) => void (/hash [0-9a-f]{64}$/.test(text) && setTimeout(() => step.cancel(), 500))
    })
    stage.github.results.faults.pop()
    expect(errors({ main, post })).toMatchObject(cancelled)
    expect(main).toMatchObject({ exitCode: 1, signal: null, leftProcesses: false, outputs: {} })
    expect(post).toMatchObject({ exitCode: 0 })
  })
})
