import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ActionSpec } from '../src/action/spec.ts'

/** The root of this repository, without a trailing slash. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')

/** The names of all actions: the folders of `actions/`, sorted. */
export function actionNames(): string[] {
  return readdirSync(join(root, 'actions'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
}

/** The specs of all actions, by name. */
export async function actionSpecs(): Promise<ActionSpec[]> {
  const specs: ActionSpec[] = []
  // One after the other: jest loads no two modules at a time that import the same.
  for (const name of actionNames()) {
    const { spec } = (await import(`../actions/${name}/spec.ts`)) as { spec: ActionSpec }
    specs.push(spec)
  }
  specs.forEach((spec, index) => {
    if (spec.name !== actionNames()[index]) throw new Error(`actions/${actionNames()[index]} is called ${spec.name}`)
  })
  return specs
}
