import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Environment } from '../src/action/inputs.ts'
import { workspaceOf } from '../src/action/workspace.ts'
import type { Docker } from '../src/image/docker.ts'
import { childEnvironment, runProgram } from '../src/process.ts'

/** The `docker` program with a configuration of its own, in the folder of a step. */
export function dockerIn(root: string, environment: Environment, signal?: AbortSignal): Docker {
  return {
    run: runProgram,
    environment: { ...childEnvironment(environment), DOCKER_CONFIG: join(root, 'config') },
    folder: workspaceOf(environment),
    signal
  }
}

/** Where the user's own configuration of docker is. */
export function ownDockerConfig({ DOCKER_CONFIG, HOME }: Environment): string {
  return DOCKER_CONFIG || join(HOME || homedir(), '.docker')
}
