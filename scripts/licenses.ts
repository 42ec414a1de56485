import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import licenses from 'spdx-license-list/full.js'

/** A package some of whose code is in a bundle. */
export type BundledPackage = {
  readonly name: string
  readonly version: string
  /** An SPDX expression, or what its author wrote. */
  readonly license: string
}

type Found = BundledPackage & { readonly folder: string; readonly manifest: Manifest }

/**
 * Two files to ship with bundles: `licenses.txt`, the licence texts of all packages in them, and `packages.json`, the
 * names, versions and licences of those. Throws when a package has a licence that can't be passed on with ours, or no
 * licence text.
 */
export function packageFiles(bundles: readonly Metafile[], root: string): Map<string, Uint8Array> {
  const found = packagesOf(bundles, root)
  const unfit = found.filter(({ license }) => !fits(license))
  if (unfit.length > 0) {
    const list = unfit.map(({ name, version, license }) => `${name} ${version} (${license})`).join(', ')
    throw new Error(
      `The bundle may not hold ${list}: only ${[...fitting].join(', ')} may be passed on with it. Take another package, or add the licence to scripts/licenses.ts if its terms are kept by shipping its text.`
    )
  }
  const packages = found.map(({ name, version, license }): BundledPackage => ({ name, version, license }))
  return new Map([
    ['licenses.txt', Buffer.from(found.map(textOf).join('\n'))],
    ['packages.json', Buffer.from(`${JSON.stringify(packages, null, 1)}\n`)]
  ])
}

/** Licences whose terms are kept by shipping their text with the bundle. */
const fitting: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'MIT/X11'
])

/** Whether a licence may be passed on; of a choice (`OR`) or an exception (`WITH`) a person has to judge. */
export function fits(license: string): boolean {
  const all = license.replace(/^\((.*)\)$/, '$1').split(' AND ')
  return all.every((one) => fitting.has(one))
}

function packagesOf(bundles: readonly Metafile[], root: string): Found[] {
  const outputs = bundles.flatMap((bundle) => Object.values(bundle.outputs))
  const folders = new Set(
    outputs.flatMap(({ inputs }) => Object.keys(inputs).flatMap((path) => packageFolder(path) ?? []))
  )
  return [...folders].sort().map((path) => {
    const folder = join(root, path)
    const manifest: Manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const { name, version, license = statedElsewhere.get(name) ?? 'no licence' } = manifest
    return { name, version, license, folder, manifest }
  })
}

function packageFolder(path: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]
}

type Manifest = {
  readonly name: string
  readonly version: string
  readonly license?: string
  readonly author?: string | { readonly name: string }
}

/** Licences that a package states in its repository only. */
const statedElsewhere: ReadonlyMap<string, string> = new Map([
  // package.json and README in https://github.com/substack/node-buffers, changed after the last version was published
  ['buffers', 'MIT/X11']
])

function textOf({ name, version, license, folder, manifest }: Found): string {
  const text = ownText(folder) ?? standardText(manifest, license)
  if (text === undefined) throw new Error(`${name} has no licence text to ship with it`)
  return `${name} ${version} (${license})\n\n${text}\n\n${'-'.repeat(80)}\n`
}

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
function standardText({ author }: Manifest, license: string): string | undefined {
  const text = licenses[license === 'MIT/X11' ? 'MIT' : license]?.licenseText
  if (!text) return undefined
  const holder = typeof author === 'string' ? author : (author?.name ?? 'its authors')
  return text.replace(/<year> <copyright holders>/, holder).trim()
}
