import * as z from 'zod'
import { parseJson } from '../checked-json.ts'
import type { Clock } from '../clock.ts'
import { type Docker, runDocker, tryDocker } from './docker.ts'
import type { Undertaking } from './docker-errors.ts'

/** A container that is tried out: with a volume that goes when it goes, and a port of this machine that is free. */
export type Trial = {
  /** Of the container, and of no other. */
  readonly name: string
  /** What is run, by a name that the engine has. */
  readonly image: string
  /** The database that the image is told to serve. */
  readonly database: string
}

const port = 3000
const undertaking: Undertaking = { kind: 'run' }
const soon = 60_000

/** Starts a container and answers where its server will be: `http://127.0.0.1:49153`. */
export async function startTrial(docker: Docker, { name, image, database }: Trial): Promise<string> {
  const args = ['run', '--detach', `--name=${name}`, `--publish=127.0.0.1::${port}`, '--volume=/data']
  await runDocker(docker, [...args, `--env=SPACETIMEDB_DATABASE=${database}`, image], { undertaking, timeout: 300_000 })
  const said = await runDocker(docker, ['port', name, `${port}/tcp`], { undertaking, timeout: soon })
  const published = /^127\.0\.0\.1:(\d+)$/m.exec(said)?.[1]
  if (published === undefined)
    throw new Error(`docker published no port of the container ${name}; it said: ${said.trim()}`)
  return `http://127.0.0.1:${published}`
}

/** How the wait for a container ended. */
export type Health =
  | { readonly kind: 'healthy' }
  /** For a reason that a sentence can end with. */
  | { readonly kind: 'not-healthy'; readonly reason: string }
  | { readonly kind: 'cancelled' }

/** What a container's server says of the database; `unreachable`: nothing answers at its address. */
export type Service = 'serves' | 'serves-not' | 'unreachable'

export type Waiting = {
  readonly ask: () => Promise<Service>
  readonly clock: Clock
  /** In milliseconds. */
  readonly timeout: number
}

/** Waits until a container's own health check passes, where its image has one, and its server serves the database. */
export async function waitForHealth(docker: Docker, name: string, { ask, clock, timeout }: Waiting): Promise<Health> {
  const end = clock.now() + timeout
  let state = await stateOf(docker, name)
  while (!docker.signal?.aborted) {
    const over = overIn(state)
    if (over !== undefined) return { kind: 'not-healthy', reason: over }
    const isHealthy = state.Health === undefined || state.Health.Status === 'healthy'
    const service = isHealthy ? await ask() : undefined
    if (service === 'serves') return { kind: 'healthy' }
    if (clock.now() >= end) return { kind: 'not-healthy', reason: lateIn(state, service, timeout) }
    await clock.sleep(500, docker.signal)
    state = await stateOf(docker, name)
  }
  return { kind: 'cancelled' }
}

/** The last lines of what a container printed; nothing when that can't be had. */
export async function endOfTrialLog(docker: Docker, name: string, lines: number): Promise<string> {
  const ran = await tryDocker(docker, ['logs', `--tail=${lines}`, name], { undertaking, timeout: soon })
  return ran.exitCode === 0 ? `${ran.stdout}${ran.stderr}`.trimEnd() : ''
}

/** Ends and removes a container with its volume; one that is not there is no error. */
export async function removeTrial(docker: Docker, name: string): Promise<void> {
  const args = ['rm', '--force', '--volumes', name]
  const ran = await tryDocker({ ...docker, signal: undefined }, args, { undertaking, timeout: soon })
  if (ran.exitCode !== 0 && !/no such container/i.test(ran.stderr)) {
    throw new Error(`The container ${name} could not be removed: ${ran.stderr.trim()}`)
  }
}

/** Removes an image's name from the engine; one that is not there is no error. */
export async function removeImage(docker: Docker, image: string): Promise<void> {
  await tryDocker({ ...docker, signal: undefined }, ['image', 'rm', image], { undertaking, timeout: soon })
}

/** https://docs.docker.com/reference/api/engine/ (ContainerInspect) */
const stateSchema = z.looseObject({
  Status: z.string(),
  ExitCode: z.number(),
  Health: z
    .looseObject({ Status: z.string(), Log: z.array(z.looseObject({ Output: z.string() })).nullish() })
    .optional()
})

type State = z.output<typeof stateSchema>

async function stateOf(docker: Docker, name: string): Promise<State> {
  const args = ['inspect', '--type=container', '--format={{json .State}}', name]
  const said = await runDocker(docker, args, { undertaking, timeout: soon })
  return stateSchema.parse(parseJson(said, `the state of ${name}`))
}

/** Why there is nothing to wait for any more. */
function overIn({ Status, ExitCode, Health }: State): string | undefined {
  if (Status === 'exited' || Status === 'dead') return `the container ended with exit code ${ExitCode}`
  if (Health?.Status !== 'unhealthy') return undefined
  const said = Health.Log?.at(-1)?.Output.trim()
  return `its health check fails${said ? `: ${said}` : ''}`
}

function lateIn({ Health }: State, service: Service | undefined, timeout: number): string {
  const waited = `within ${Math.round(timeout / 1000)} s`
  if (service === 'unreachable' && Health !== undefined) {
    return `its own health check passes, but nothing answered at its port of 127.0.0.1 ${waited}: when the job runs in a \`container:\`, or DOCKER_HOST leads to another machine, that port is not on this machine; leave out \`container:\`, or \`smoke\``
  }
  if (service !== undefined) return `its server did not serve the database ${waited}`
  return `its health check did not pass ${waited} (it is \`${Health?.Status}\`)`
}
