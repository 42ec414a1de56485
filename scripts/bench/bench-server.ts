import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { loadModule } from '../../src/module/load.ts'
import { connect } from '../../src/spacetimedb/client.ts'
import { tokenCredential } from '../../src/spacetimedb/credential.ts'
import { startServer } from '../../test/embedded/server.ts'
import { fixturePath } from '../../test/fixtures.ts'

/** An embedded server in another process, with the module `counter` as the database of that name. */
export type BenchServer = { readonly url: string; readonly token: string; stop(): Promise<void> }

/** Starts one, so that what is measured has a process of its own. */
export async function startBenchServer(): Promise<BenchServer> {
  const script = fileURLToPath(import.meta.url)
  const child = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = await once(createInterface(child.stdout), 'line')
  return { ...JSON.parse(line), stop: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.stdin?.end()
  await ended
}

/** The other process: serves until its input ends. */
async function serve(): Promise<void> {
  const server = await startServer()
  const token = await server.issueToken('bench')
  const owner = connect({ url: server.url, credential: tokenCredential(token) })
  const answer = await owner.publishFirst('counter', await loadModule(fixturePath('modules/counter.wasm')))
  if (answer.kind !== 'published') throw new Error(`it was not published: ${answer.kind}`)
  console.log(JSON.stringify({ url: server.url, token }))
  process.stdin.resume().once('end', () => void server.close().then(() => process.exit()))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await serve()
