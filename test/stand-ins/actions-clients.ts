import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { root } from '../../scripts/repository.ts'

/** What code returned, and what it printed: the clients say there what went wrong. */
export type Ran = { readonly answer: unknown; readonly log: string }

const program = `
import * as cache from '@actions/cache'
import { DefaultArtifactClient } from '@actions/artifact'
const write = process.stdout.write
const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor
process.on('message', async ({ code, env, folder }) => {
  process.chdir(folder)
  for (const [name, value] of Object.entries(env)) process.env[name] = value
  let log = ''
  process.stdout.write = (text) => { log += text; return true }
  const artifact = new DefaultArtifactClient()
  const answer = await new AsyncFunction('cache', 'artifact', code)(cache, artifact).catch(({ message }) => ({ error: message }))
  process.stdout.write = write
  process.send({ answer: answer ?? null, log })
})
process.send('ready')
`

/**
 * The real `@actions/cache` and `@actions/artifact`, loaded once in a process of their own whose environment is
 * changed from job to job. `GITHUB_API_URL` they read when they are loaded: it has to be given here.
 */
export async function startActionsClients(env: Readonly<Record<string, string>> = {}): Promise<ActionsClients> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: root,
    env: { PATH: process.env.PATH, SystemRoot: process.env.SystemRoot, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  await once(child, 'message')
  return new ActionsClients(child)
}

export class ActionsClients {
  readonly #child: ChildProcess

  constructor(child: ChildProcess) {
    this.#child = child
  }

  /**
   * Runs the body of a function of `cache` and `artifact`, in a folder and with these variables on top of those of
   * earlier runs. What it throws becomes the answer `{error}`.
   */
  async run(code: string, folder: string, env: Readonly<Record<string, string>>): Promise<Ran> {
    this.#child.send({ code, folder, env })
    const [answer] = await once(this.#child, 'message')
    return answer as Ran
  }

  async close(): Promise<void> {
    this.#child.disconnect()
    await once(this.#child, 'exit')
  }
}
