import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import licenses from 'spdx-license-list/full.js'

/**
 * The licence texts of all packages that are in some bundles, for a file beside them. Throws when there is no licence
 * text for a package.
 */
export function licensesOf(bundles: readonly Metafile[], root: string): string {
  const outputs = bundles.flatMap((bundle) => Object.values(bundle.outputs))
  const folders = new Set(
    outputs.flatMap(({ inputs }) => Object.keys(inputs).flatMap((path) => packageFolder(path) ?? []))
  )
  return [...folders]
    .sort()
    .map((folder) => licenseOf(join(root, folder)))
    .join('\n')
}

function packageFolder(path: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]
}

type Package = {
  readonly name: string
  readonly version: string
  readonly license?: string
  readonly author?: string | { readonly name: string }
}

function licenseOf(folder: string): string {
  const manifest: Package = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const license = manifest.license ?? statedElsewhere.get(manifest.name)
  const text = ownText(folder) ?? standardText(manifest, license)
  if (text === undefined) throw new Error(`${manifest.name} has no licence text to ship with it`)
  return `${manifest.name} ${manifest.version} (${license})\n\n${text}\n\n${'-'.repeat(80)}\n`
}

/** Licences that a package states in its repository only. */
const statedElsewhere: ReadonlyMap<string, string> = new Map([
  // package.json and README in https://github.com/substack/node-buffers, changed after the last version was published
  ['buffers', 'MIT/X11']
])

/** A file of the licence's text, or that part of the README. */
function ownText(folder: string): string | undefined {
  const read = (entry: string) => readFileSync(join(folder, entry), 'utf8').replaceAll('\r\n', '\n')
  const entries = readdirSync(folder)
  const file = entries.find((entry) => /^licen[cs]e(\.|$)/i.test(entry))
  if (file) return read(file).trim()
  const readme = entries.find((entry) => /^readme(\.|$)/i.test(entry))
  const section = readme && /^#+ *licen[cs]e\s*$(.*)/ims.exec(read(readme))?.[1]?.trim()
  return section && /permission is hereby granted/i.test(section) ? section : undefined
}

/** The text that everybody knows by the licence's name, for a package that states the name and has no text. */
function standardText({ author }: Package, license: string | undefined): string | undefined {
  const text = license && licenses[license === 'MIT/X11' ? 'MIT' : license]?.licenseText
  if (!text) return undefined
  const holder = typeof author === 'string' ? author : (author?.name ?? 'its authors')
  return text.replace(/<year> <copyright holders>/, holder).trim()
}
