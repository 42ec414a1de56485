import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from '../../scripts/repository.ts'
import { freePort } from './free-port.ts'
import { isInstalled, must, run } from './running.ts'

/** A Docker engine to test with; or why there is none. */
export type Engine =
  | {
      readonly kind: 'ready'
      readonly name: string
      /** Runs the client; answers what it printed, and throws with what it complained about. */
      docker(...args: string[]): Promise<string>
      /** Builds by BuildKit, as `docker buildx build --load` does, with its flags and the context. */
      build(...args: string[]): Promise<string>
      /** The variables with which the client finds engine and buildx. */
      readonly environment: Readonly<Record<string, string | undefined>>
      stop(): Promise<void>
    }
  | { readonly kind: 'missing'; readonly reason: string }

export type ReadyEngine = Extract<Engine, { kind: 'ready' }>

/** What may be fetched: Debian's packages; buildx as well, which is built from source in minutes. */
export type Fetching = 'packages' | 'packages and buildx'

const buildxVersion = 'v0.38.2'
const client = '/usr/bin/docker'

/**
 * Starts an engine of our own, in a folder of its own, without bridge and iptables, so that it is in nobody's way. It has
 * to be stopped.
 */
export async function startEngine(fetching: Fetching): Promise<Engine> {
  if (process.platform !== 'linux') return { kind: 'missing', reason: 'an engine is started on Linux only' }
  if (process.getuid?.() !== 0) return { kind: 'missing', reason: 'only root can start an engine' }
  const unfit = await installPackages(fetching)
  if (unfit !== undefined) return { kind: 'missing', reason: unfit }
  const folder = mkdtempSync(join(tmpdir(), 'engine-'))
  const configuration = join(folder, 'client')
  mkdirSync(join(configuration, 'cli-plugins'), { recursive: true })
  if (fetching === 'packages and buildx') {
    const buildx = await installBuildx()
    if ('missing' in buildx) return { kind: 'missing', reason: buildx.missing }
    symlinkSync(buildx.path, join(configuration, 'cli-plugins/docker-buildx'))
  }
  return startDaemon(folder, configuration, fetching)
}

async function startDaemon(folder: string, configuration: string, fetching: Fetching): Promise<Engine> {
  const socket = `unix://${join(folder, 'docker.sock')}`
  const daemon = spawn('dockerd', daemonArguments(folder, socket), {
    stdio: ['ignore', openSync(join(folder, 'log'), 'a'), openSync(join(folder, 'log'), 'a')]
  })
  const environment = { ...process.env, DOCKER_HOST: socket, DOCKER_CONFIG: configuration, DOCKER_BUILDKIT: '1' }
  const docker = (...args: string[]) => must(client, args, { environment })
  const stop = () => end(daemon, folder)
  for (let tries = 0; tries < 60; tries++) {
    if (daemon.exitCode !== null) break
    const { exitCode, stdout } = await run(client, ['version', '--format', '{{.Server.Version}}'], { environment })
    if (exitCode === 0) {
      const build = fetching === 'packages' ? ['build'] : ['buildx', 'build', '--load']
      const name = `Docker ${stdout.trim()}`
      return { kind: 'ready', name, docker, build: (...args) => docker(...build, ...args), environment, stop }
    }
    await sleep(500)
  }
  const log = readFileSync(join(folder, 'log'), 'utf8').trimEnd().split('\n').slice(-5).join('\n')
  await stop()
  return { kind: 'missing', reason: `dockerd does not start here:\n${log}` }
}

function daemonArguments(folder: string, socket: string): string[] {
  return [
    ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'run'), '--pidfile', join(folder, 'pid')],
    ...['-H', socket, '--bridge', 'none', '--iptables=false', '--ip6tables=false']
  ]
}

async function end(daemon: ChildProcess, folder: string): Promise<void> {
  if (daemon.exitCode === null && daemon.signalCode === null) {
    daemon.kill('SIGTERM')
    await once(daemon, 'exit')
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

/** Why Debian's packages can't be had, if they can't. */
async function installPackages(fetching: Fetching): Promise<string | undefined> {
  const wanted = [['docker.io', client]]
  if (fetching === 'packages and buildx') wanted.push(['docker-registry', '/usr/bin/docker-registry'])
  const missing = wanted.flatMap(([name, path]) => (existsSync(`${path}`) ? [] : [`${name}`]))
  if (missing.length === 0) return undefined
  if (!(await isInstalled('apt-get'))) return `${missing.join(', ')} is not installed, and there is no apt-get`
  const patience = ['-o', 'Acquire::http::Timeout=10', '-o', 'Acquire::Retries=0', '-o', 'DPkg::Lock::Timeout=10']
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  await run('apt-get', [...patience, 'update', '-q'], { environment })
  const install = [...patience, 'install', '-q', '-y', '--no-install-recommends', ...missing]
  const { exitCode, stderr } = await run('apt-get', install, { environment })
  return exitCode === 0 ? undefined : `apt-get can't install ${missing.join(', ')}: ${stderr.trim().split('\n').at(-1)}`
}

/** buildx, built from the Go module proxy below build/. */
async function installBuildx(): Promise<{ readonly path: string } | { readonly missing: string }> {
  const folder = join(root, 'build/docker', buildxVersion)
  const path = join(folder, 'buildx')
  if (existsSync(path)) return { path }
  if (!(await isInstalled('go'))) return { missing: 'Go is not installed, which buildx is built with' }
  const environment = { ...process.env, GOBIN: folder, CGO_ENABLED: '0' }
  const { exitCode, stderr } = await run('go', ['install', `github.com/docker/buildx/cmd/buildx@${buildxVersion}`], {
    environment
  })
  return exitCode === 0 ? { path } : { missing: `buildx ${buildxVersion} can't be built: ${stderr.trim()}` }
}

/** A registry on loopback, whose content is kept in a folder; the client takes it without TLS. */
export async function startRegistry(folder: string): Promise<{ readonly host: string; stop(): Promise<void> }> {
  const port = await freePort()
  const configuration = join(folder, 'registry.yml')
  const storage = { filesystem: { rootdirectory: join(folder, 'registry') }, delete: { enabled: true } }
  writeFileSync(configuration, JSON.stringify({ version: 0.1, storage, http: { addr: `127.0.0.1:${port}` } }))
  const registry = spawn('docker-registry', ['serve', configuration], { stdio: 'ignore' })
  for (let tries = 0; tries < 60 && registry.exitCode === null; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined)
    if (answer?.ok) break
    await sleep(250)
  }
  return {
    host: `127.0.0.1:${port}`,
    stop: async () => {
      if (registry.exitCode !== null || registry.signalCode !== null) return
      registry.kill('SIGTERM')
      await once(registry, 'exit')
    }
  }
}
