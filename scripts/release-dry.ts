import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../src/errors.ts'
import { version as builtIn } from '../src/version.ts'
import { fixtureModule } from '../test/fixtures.ts'
import { Job } from '../test/runner/runner.ts'
import { startStage } from '../test/runner/stage.ts'
import { bundle } from './bundle.ts'
import { differences, readFiles, replaceFolder } from './files.ts'
import { type MadeRelease, makeRelease } from './release/make.ts'
import { shownMajors, stillToDo } from './release/readiness.ts'
import { git, publishTags } from './release/tags.ts'
import { root } from './repository.ts'

/**
 * A release from start to end that nobody sees: made twice, tagged in a repository of its own, and used from there by the
 * tag that workflows name.
 */
const { values: options } = parseArgs({ options: { dist: { type: 'string', default: join(root, 'dist') } } })
const scratch = mkdtempSync(join(tmpdir(), 'release-dry-'))

try {
  const version = versionToTry()
  for (const line of await stillToDo(version)) console.log(`Before ${version} can be released for real: ${line}.`)
  const made = await madeTwice(version)
  const remote = tagged(made, version)
  await used(remote, version)
} catch (error) {
  console.error(messageOf(error))
  process.exitCode = 1
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

/** The version of the sources, or the first of the major version that workflows name when that is still to come. */
function versionToTry(): string {
  const shown = shownMajors().at(-1) ?? 0
  return Number(builtIn.split('.')[0]) < shown ? `${shown}.0.0` : builtIn
}

/** Once with the bundle that is committed, once with one that is built now. Throws unless both are the same commit. */
async function madeTwice(version: string): Promise<MadeRelease> {
  const again = join(scratch, 'dist')
  replaceFolder(again, await bundle({ tolerateTypeErrors: true }))
  const common = { version, repository: 'someone/actions', source: git(root, ['rev-parse', 'HEAD']) }
  const one = await makeRelease({ ...common, dist: resolve(options.dist), out: join(scratch, 'one') })
  const other = await makeRelease({ ...common, dist: again, out: join(scratch, 'other') })
  if (one.commit !== other.commit) {
    const [a, b] = [readFiles(join(scratch, 'one/tree')), readFiles(join(scratch, 'other/tree'))]
    throw new Error(`Made twice, the release is not the same:\n${differences(b, a).join('\n')}`)
  }
  console.log(`Made twice, ${version} is the same commit: ${one.commit}`)
  return one
}

/** Answers the folder of the repository in which it is tagged. */
function tagged(made: MadeRelease, version: string): string {
  const remote = join(scratch, 'remote.git')
  git(scratch, ['init', '--quiet', '--bare', remote])
  const { release, moved } = publishTags(made.git, remote, version, made.commit)
  console.log(`Tagged in a repository of its own: ${[release.tag, ...moved].join(', ')}`)
  return remote
}

/** Deploys with the action in its folder and with the one at the root, from the moving tag of the major version. */
async function used(remote: string, version: string): Promise<void> {
  const tag = `v${version.split('.')[0]}`
  const actions = join(scratch, 'uses')
  git(scratch, ['clone', '--quiet', '--depth=1', '--branch', tag, `file://${remote}`, actions])
  const stage = await startStage()
  try {
    for (const action of ['deploy', '.']) {
      const database = stage.newDatabase()
      const job = new Job({ actions, secrets: () => [...stage.secrets] })
      writeFileSync(join(job.workspace, 'game.wasm'), fixtureModule('counter.wasm'))
      const inputs = { server: stage.server.url, database, module: 'game.wasm', token: stage.token, create: 'true' }
      const { exitCode, outputs, log } = await job.run({ action, inputs })
      await job.post()
      job.end()
      const name = join('someone/actions', action)
      if (exitCode !== 0 || outputs.result !== 'created') throw new Error(`${name}@${tag} did not deploy:\n${log}`)
      console.log(`Used as ${name}@${tag}: ${outputs.result}`)
    }
  } finally {
    await stage.server.close()
  }
}
