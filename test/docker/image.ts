import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from '../../scripts/repository.ts'
import { fixtureModule } from '../fixtures.ts'
import type { ReadyEngine } from './engine.ts'
import { makeBaseImage, makeServerImage } from './root-file-system.ts'
import { must } from './running.ts'

export type Container = { readonly name: string; readonly log: string }

/** Makes images of modules and containers of them, on an engine that has nothing else. */
export class Images {
  readonly folder = mkdtempSync(join(tmpdir(), 'images-'))
  readonly #engine: ReadyEngine
  #count = 0

  constructor(engine: ReadyEngine) {
    this.#engine = engine
  }

  /** What the Dockerfile starts from: images made on the spot, the programs in which are stand-ins. */
  async makeBases(): Promise<void> {
    await makeBaseImage(this.#engine.docker, 'base:1')
    await makeServerImage(this.#engine.docker, 'server:1', '2.8.3')
  }

  /** A build context as the action makes it, with other content too. */
  context(files: Readonly<Record<string, string | Uint8Array>>): string {
    const context = join(this.folder, `context-${++this.#count}`)
    mkdirSync(context)
    cpSync(join(root, 'docker/entrypoint.sh'), join(context, 'entrypoint.sh'))
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(context, path, '..'), { recursive: true })
      writeFileSync(join(context, path), content)
    }
    return context
  }

  /** Builds with our Dockerfile and without a network. */
  async build(tag: string, context: string, ...flags: string[]): Promise<void> {
    const file = ['--file', join(root, 'docker/Dockerfile'), '--network', 'none']
    const given = { SERVER_IMAGE: 'server:1', BASE_IMAGE: 'base:1', SOURCE_DATE_EPOCH: '1700000000' }
    const build = Object.entries(given).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`])
    await this.#engine.build(...file, ...build, '--tag', tag, ...flags, context)
  }

  async buildModule(tag: string, fixture: string, ...flags: string[]): Promise<void> {
    await this.build(tag, this.context({ 'module.wasm': fixtureModule(fixture), 'manifest.json': '{}' }), ...flags)
  }

  /** The digests of an image's layers, that of the module last. */
  async layers(image: string): Promise<string[]> {
    return JSON.parse(await this.#engine.docker('image', 'inspect', '--format', '{{json .RootFS.Layers}}', image))
  }

  /** Starts a container; its health check is asked each second. */
  async start(image: string, ...flags: string[]): Promise<string> {
    const settings = ['--network', 'none', '--health-interval', '1s', '--env', 'SPACETIMEDB_DATABASE=game']
    return (await this.#engine.docker('run', '--detach', ...settings, ...flags, image)).trim()
  }

  /** Waits until its health check says so; throws with its log when it ends or takes too long. */
  async becomesHealthy(container: string): Promise<void> {
    const state = () =>
      this.#engine.docker('inspect', '--format', '{{.State.Status}} {{.State.Health.Status}}', container)
    for (let tries = 0; tries < 120; tries++) {
      const now = (await state()).trim()
      if (now === 'running healthy') return
      if (!now.startsWith('running')) break
      await sleep(500)
    }
    throw new Error(`not healthy, but ${await state()}: ${await this.log(container)}`)
  }

  /** Waits for a container's end; its exit code. */
  async ended(container: string): Promise<number> {
    return Number(await this.#engine.docker('wait', container))
  }

  /** Stops a container as platforms do; its exit code. */
  async stop(container: string): Promise<number> {
    await this.#engine.docker('stop', container)
    return this.ended(container)
  }

  /** What a container has said on both streams. */
  async log(container: string): Promise<string> {
    const script = 'exec "$0" logs "$1" 2>&1'
    return must('sh', ['-c', script, '/usr/bin/docker', container], { environment: this.#engine.environment })
  }

  cleanUp(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
