import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { parse } from 'yaml'
import { root } from '../../scripts/repository.ts'
import type { Use } from './workflow.ts'

const sources = join(import.meta.dirname, 'actions')
const built = join(root, 'build/workflows/actions')

/** The actions of others that are stood in for, by their repositories. */
export const standInActions: readonly string[] = readdirSync(sources).flatMap((owner) =>
  readdirSync(join(sources, owner)).map((name) => `${owner}/${name}`)
)

/** Bundles them, since act copies an action's folder and nothing around it. */
export async function buildStandInActions(): Promise<void> {
  await build({
    entryPoints: standInActions.map((repository) => ({
      in: join(sources, repository, 'main.ts'),
      out: `${repository}/main`
    })),
    outdir: built,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    banner: { js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)` },
    logLevel: 'error'
  })
  for (const repository of standInActions) {
    mkdirSync(join(built, repository), { recursive: true })
    copyFileSync(join(sources, repository, 'action.yml'), join(built, repository, 'action.yml'))
  }
}

/** The built folder of the stand-in for an action. Throws when there is none, or when it has not the inputs that are given. */
export function standInFor({ repository, path, ref, inputs }: Use): string {
  const file = join(sources, repository, path, 'action.yml')
  if (!existsSync(file)) {
    throw new Error(`there is no stand-in for ${repository}@${ref}: make one in test/workflows/actions`)
  }
  const known = Object.keys((parse(readFileSync(file, 'utf8')) as { inputs?: object }).inputs ?? {})
  const unknown = inputs.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`the stand-in for ${repository} has no input ${unknown}`)
  return join(built, repository)
}
