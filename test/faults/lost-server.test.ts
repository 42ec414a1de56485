import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { type EmbeddedServer, startServer } from '../embedded/server.ts'
import { hashOf, Stage, startStage, type TestServer } from '../runner/stage.ts'
import { type Journey, journeys, placesOf, travel, violations } from './journeys.ts'

/** Long enough that requests fail, short enough that a deploy waits for it. */
const down = 1500

const [update] = journeys as [Journey]
const stage = await startStage()
const places = placesOf((await travel(stage, update)).requests)
await stage.server.close()

test.concurrent.each(places)(
  'the server restarts when it gets $title: the deploy goes on',
  async ({ match }) => {
    const server = new RestartingServer(await startServer())
    const stage = new Stage(server, await server.issueToken('owner'))
    try {
      const travelled = await travel(stage, update, [
        { match, before: () => server.restart(down), fault: { kind: 'delay', duration: 100 } }
      ])
      expect(violations(update, travelled)).toEqual([])
      expect(travelled.main.outputs.result).toBe(update.result)
      expect(travelled.live).toBe(hashOf(update.module))
    } finally {
      await stage.server.close()
    }
  },
  60_000
)

/** A server whose machine restarts: it comes back at the same address with what it kept. */
class RestartingServer implements TestServer {
  #server: EmbeddedServer
  #restarted: Promise<void> = Promise.resolve()

  constructor(server: EmbeddedServer) {
    this.#server = server
  }

  get url(): string {
    return this.#server.url
  }

  issueToken(subject?: string): Promise<string> {
    return this.#server.issueToken(subject)
  }

  /** `down` is how long it is away, in milliseconds. */
  restart(down: number): void {
    this.#restarted = this.#restart(down)
  }

  async close(): Promise<void> {
    await this.#restarted
    await this.#server.close()
  }

  async #restart(down: number): Promise<void> {
    const port = Number(new URL(this.url).port)
    const state = await this.#server.close()
    await wait(down)
    this.#server = await startServer({ port, state })
  }
}
