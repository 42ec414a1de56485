import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from '@jest/globals'
import { hashModule } from '../../src/module/hash.ts'
import { fixtureModule } from '../fixtures.ts'
import { type Image, imageWith, newFolder, start } from './entrypoint-run.ts'

export const counter = imageWith('counter.wasm')
export const additive = imageWith('counter-additive.wasm')
export const ready = /ready: serving game/

/** A volume on which `counter` was published, and which is in no use; and what it then had in its table. */
export async function publishedVolume(): Promise<{ volume: string; kept: unknown[][] }> {
  const volume = newFolder()
  let kept: unknown[][] = []
  await serve({ module: counter, volume }, async (url) => {
    const before = await rows(url, 'SELECT * FROM counter')
    await call(url, 'increment_counter', [5])
    kept = await rows(url, 'SELECT * FROM counter')
    expect(kept).not.toEqual(before)
  })
  return { volume, kept }
}

/** Starts it, waits until it is ready, has it looked at, and stops it; what it has said. */
export async function serve(image: Image, look: (url: string) => Promise<void> = async () => {}): Promise<string> {
  const container = await start(image)
  await container.says(ready)
  await look(container.url)
  expect(await container.stop()).toBe(0)
  return container.log()
}

/** Starts what ends by itself. */
export async function end(image: Image, ...args: string[]): Promise<{ code: number | null; log: string }> {
  const container = await start(image, ...args)
  return { code: await container.ended, log: container.log() }
}

/** Calls a reducer of the database `game`. */
export async function call(url: string, reducer: string, args: unknown[]): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${url}/v1/database/game/call/${reducer}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(args)
  })
  expect(await answer.text()).toBe('')
}

/** What a query finds in the database `game`. */
export async function rows(url: string, query: string): Promise<unknown[][]> {
  const answer = await fetch(`${url}/v1/database/game/sql`, { method: 'POST', body: query })
  const [statement] = (await answer.json()) as { rows: unknown[][] }[]
  return statement?.rows ?? []
}

/** Expects that module to be live. */
export async function expectLive(url: string, module: string): Promise<void> {
  const [row] = await rows(url, 'SELECT program_hash FROM st_module')
  const reversed = Buffer.from(hashModule(fixtureModule(module)), 'hex')
    .reverse()
    .toString('hex')
  expect(BigInt(`${row?.flat()[0]}`)).toBe(BigInt(`0x${reversed}`))
}

/** The token of the owner that the volume has; empty without one. */
export function ownersToken(volume: string): string {
  return /spacetimedb_token = "([^"]+)"/.exec(readFileSync(join(volume, 'stdb-image/cli.toml'), 'utf8'))?.[1] ?? ''
}
