import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { root } from '../../scripts/repository.ts'
import { workerScript } from '../embedded/worker-bundle.ts'

/** The programs of a release, by the names that its archives have for them. */
export type ProgramName = 'spacetimedb-cli' | 'spacetimedb-standalone'

export const programNames: readonly ProgramName[] = ['spacetimedb-cli', 'spacetimedb-standalone']

const bundles = new Map<ProgramName, Promise<string>>()

/**
 * A stand-in program (`programs/`) as one executable file for Node, which stands alone and says that it is of that
 * version. On the same machine the same bytes each time.
 */
export async function programFile(name: ProgramName, version: string): Promise<Buffer> {
  const known = bundles.get(name) ?? bundle(name)
  bundles.set(name, known)
  const text = (await known).replaceAll(versionMark, version).replaceAll(commitMark, commitOf(version))
  return Buffer.from(text)
}

/** What stands in a bundle for a version's own texts, so that all versions are made from one. */
const versionMark = '@version@'
const commitMark = '@commit@'

/** The commit that the programs of a version say they were built from: it stands for none. */
export function commitOf(version: string): string {
  return createHash('sha1').update(`stand-in ${version}`).digest('hex')
}

async function bundle(name: ProgramName): Promise<string> {
  const text = (value: string) => JSON.stringify(value)
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'programs', name === 'spacetimedb-cli' ? 'cli.ts' : 'standalone.ts')],
    absWorkingDir: root,
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    minifySyntax: true,
    banner: { js: '#!/usr/bin/env node' },
    define: {
      'import.meta.url': 'globalThis.bundleUrl',
      bakedVersion: text(versionMark),
      bakedCommit: text(commitMark),
      bakedDescribeChild: text(await readFile(join(root, 'src/module/describe-child.js'), 'utf8')),
      bakedRolldown: text(rolldownUrl())
    },
    plugins: [workerInside]
  })
  return outputFiles[0]?.text ?? ''
}

/** The script of the embedded server's workers is made now: a program that stands alone has no sources to make it from. */
const workerInside: Plugin = {
  name: 'worker-inside',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]worker-bundle\.ts$/ }, async () => ({
      contents: `const script = ${JSON.stringify(await workerScript())}\nexport const workerScript = async () => script`
    }))
  }
}

/** Where the bundler for TypeScript modules is, which the real CLI has inside; '' when it is not installed. */
function rolldownUrl(): string {
  if (!existsSync(join(root, 'node_modules/rolldown'))) return ''
  return pathToFileURL(createRequire(join(root, 'package.json')).resolve('rolldown')).href
}
