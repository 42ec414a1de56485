import type { Outcome, Step } from '../../src/action/run.ts'
import type { Inputs } from '../../src/action/spec.ts'
import { workspaceOf } from '../../src/action/workspace.ts'
import { SetupFailure } from '../../src/setup/failure.ts'
import { bring, startingIn, versionOfModules } from '../installing.ts'
import { LeftoversKeeper, leftoversFolder } from '../leftovers.ts'
import { addToPath } from './command.ts'
import { givenLogin, logIn, startServer } from './login.ts'
import type { spec } from './spec.ts'
import { leftovers } from './state.ts'

type SetupInputs = Inputs<typeof spec>
type SetupStep = Step<typeof spec>

export async function main(inputs: SetupInputs, step: SetupStep): Promise<Outcome<typeof spec>> {
  const left = new LeftoversKeeper(leftoversFolder('setup', step.environment), leftovers)
  try {
    return { outputs: await setUp(inputs, step, left) }
  } catch (error) {
    await left.remove()
    if (!(error instanceof SetupFailure)) throw error
    return { outputs: {}, failure: { title: `setup-spacetimedb: ${error.kind}`, message: error.message } }
  }
}

async function setUp(inputs: SetupInputs, step: SetupStep, left: LeftoversKeeper) {
  const { environment, cancellation } = step
  const given = givenLogin(inputs)
  const workspace = workspaceOf(environment)
  const { version, installed } = await bring(
    inputs,
    { withServer: inputs.start, versionOfModule: () => versionOfModules(inputs.path, workspace) },
    { environment, signal: cancellation.signal, left }
  )
  const login = inputs.start ? await startServer(installed, step, left) : given
  const loggedIn = login && (await logIn(login, inputs.start, left))
  const isWindows = process.platform === 'win32'
  const starting = startingIn(environment, cancellation.signal)
  await addToPath({ installed, version, config: loggedIn?.cliConfig, root: left.root, isWindows }, starting)
  return { version, source: installed.source, cli: installed.cli, ...loggedIn }
}
