import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

/**
 * The licence texts of all packages that a bundle of some entries can hold, for a file beside it. It may name a
 * package of which nothing is left after unused code is dropped. Throws when a package has no licence text.
 */
export async function licensesOf(entries: readonly string[], root: string): Promise<string> {
  const { metafile } = await build({
    entryPoints: [...entries],
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    outdir: join(root, 'build'),
    platform: 'node',
    format: 'esm',
    logLevel: 'error'
  })
  const folders = new Set(Object.keys(metafile.inputs).flatMap((path) => packageFolder(path) ?? []))
  return [...folders]
    .sort()
    .map((folder) => licenseOf(join(root, folder)))
    .join('\n')
}

function packageFolder(path: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]
}

function licenseOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.|$)/i.test(entry))
  if (!file) throw new Error(`${name} has no licence text to ship with it`)
  const text = readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim()
  return `${name} ${version} (${license})\n\n${text}\n\n${'-'.repeat(80)}\n`
}
