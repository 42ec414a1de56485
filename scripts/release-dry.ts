import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { stringify } from 'yaml'
import { messageOf } from '../src/errors.ts'
import { version as builtIn } from '../src/version.ts'
import { fixtureModule } from '../test/fixtures.ts'
import { node24 } from '../test/runner/node24.ts'
import { Job } from '../test/runner/runner.ts'
import { hashOf, type Stage, startStage } from '../test/runner/stage.ts'
import { act } from '../test/workflows/act.ts'
import { outcomeOf } from '../test/workflows/act-log.ts'
import { runAct } from '../test/workflows/act-process.ts'
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

/**
 * Deploys with the action in its folder and with the one at the root, from the moving tag of the major version: in a
 * workflow that act runs, or where there is no act by starting what their action.yml names.
 */
async function used(remote: string, version: string): Promise<void> {
  const tag = `v${version.split('.')[0]}`
  const actions = join(scratch, 'uses')
  git(scratch, ['clone', '--quiet', '--depth=1', '--branch', tag, `file://${remote}`, actions])
  const found = await act(console.log)
  if (found.kind === 'missing') console.log(`Used without a workflow: ${found.reason}.`)
  const stage = await startStage()
  try {
    for (const folder of ['/deploy', '']) {
      const name = `someone/actions${folder}@${tag}`
      const repository = `someone/actions@${tag}`
      const use: Use = { name, repository, actions, folder, stage, database: stage.newDatabase() }
      if (found.kind === 'ready') await useInWorkflow(use, found.program)
      else await useAlone(use)
      if ((await stage.liveHash(use.database)) !== hashOf('counter')) throw new Error(`${use.name} did not deploy`)
      console.log(`Used as ${use.name}: deployed`)
    }
  } finally {
    await stage.server.close()
  }
}

type Use = {
  /** As after `uses:`. */
  readonly name: string
  /** The same for the root. */
  readonly repository: string
  /** The folder of the release, and in it that of the action with a slash before. */
  readonly actions: string
  readonly folder: string
  readonly stage: Stage
  readonly database: string
}

function inputsOf({ stage, database }: Use) {
  return { server: stage.server.url, database, module: 'game.wasm', token: stage.token, create: 'true' }
}

async function useInWorkflow(use: Use, program: string): Promise<void> {
  const folder = mkdtempSync(join(scratch, 'workflow-'))
  const module = join(folder, 'game.wasm')
  const steps = [
    { run: 'cp "$MODULE" game.wasm', env: { MODULE: module } },
    { uses: use.name, with: inputsOf(use) }
  ]
  const workflow = { on: 'push', jobs: { deploy: { 'runs-on': 'ubuntu-latest', steps } } }
  writeFileSync(join(folder, 'workflow.yml'), stringify(workflow))
  writeFileSync(module, fixtureModule('counter.wasm'))
  git(folder, ['init', '--quiet'])
  git(folder, ['add', '--all'])
  git(folder, ['-c', 'user.name=dry', '-c', 'user.email=dry@run', 'commit', '--quiet', '--message=A game'])
  const local = `${use.repository}=${use.actions}`
  const args = [
    'push',
    '--workflows',
    'workflow.yml',
    '--platform',
    'ubuntu-latest=-self-hosted',
    '--no-cache-server',
    '--json'
  ]
  const path = [dirname(node24() ?? process.execPath), process.env.PATH].join(delimiter)
  const env = { ...process.env, PATH: path, HOME: scratch, XDG_CACHE_HOME: join(scratch, 'cache') }
  const lines = await runAct({
    program,
    args: [...args, '--local-repository', local],
    folder,
    env,
    deadline: 300_000,
    interruption: undefined
  })
  const outcome = outcomeOf(['deploy'], lines)
  if (outcome.jobs.deploy !== 'success') throw new Error(`A workflow with ${use.name} failed:\n${outcome.log}`)
}

async function useAlone(use: Use): Promise<void> {
  const job = new Job({ actions: use.actions, secrets: () => [...use.stage.secrets] })
  writeFileSync(join(job.workspace, 'game.wasm'), fixtureModule('counter.wasm'))
  const { exitCode, log } = await job.run({ action: `.${use.folder}`, inputs: inputsOf(use) })
  await job.post()
  job.end()
  if (exitCode !== 0) throw new Error(`${use.name} failed:\n${log}`)
}
