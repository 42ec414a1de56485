import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../../scripts/repository.ts'
import { act } from './act.ts'
import { buildStandInActions, standInActions } from './stand-in-actions.ts'

/**
 * Runs the workflows of workflows-examples by act, each with its test beside this file: `npm run test:workflows`, all or
 * those that are named. With `--short` some only, and without act none, which is said and is no failure then.
 */
const { values: options, positionals: names } = parseArgs({
  options: { short: { type: 'boolean', default: false } },
  allowPositionals: true
})

/** What is run of each commit: building, planning and trying a module, and releasing it. */
const short = ['pull-request', 'deploy-staging']

const found = await act(console.log)
if (found.kind === 'missing') {
  console.error(`The workflows were not run: ${found.reason}.`)
  process.exitCode = options.short ? 0 : 1
} else {
  process.exitCode = await run(found.program, options.short ? short : names)
}

async function run(program: string, wanted: readonly string[]): Promise<number> {
  const tree = join(root, 'build/workflows/release')
  const isMade =
    node('--import', 'tsx', 'scripts/build.ts', '--cached') &&
    node('--import', 'tsx', 'scripts/release-tree.ts', '--out', tree, '--dist', join(root, 'build/dist'))
  if (!isMade) return 1
  await buildStandInActions()
  console.log(`Workflows are run by act on this machine, without containers, against servers of the tests.
Stand-ins for actions of others, which are not downloaded: ${standInActions.join(', ')}.
Stand-ins for programs: SpacetimeDB's, cargo, rustc and rustup (a module is what lies beside its source), docker.
What act does not know, the tests add: a job's permissions bound its token, and its environment names its ID token.
What is not tried: approval and secrets of an environment, concurrency, filters of branches and paths (test/workflows/README.md).
The log of each run is put into build/workflows/logs.`)
  const pattern = `**/test/workflows/${wanted.length === 0 ? '*' : `@(${wanted.join('|')})`}.workflow.ts`
  const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js']
  const variables = { STDB_ACT: program, STDB_RELEASE_TREE: tree }
  return node(...jest, '--testMatch', pattern, variables) ? 0 : 1
}

/** Whether it succeeded. */
function node(...given: readonly (string | Record<string, string>)[]): boolean {
  const args = given.filter((each) => typeof each === 'string')
  const variables = given.filter((each) => typeof each === 'object')
  const env = Object.assign({}, process.env, ...variables)
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env }).status === 0
}
