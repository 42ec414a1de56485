import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import licenses from 'spdx-license-list'
import type { BundledPackage } from '../licenses.ts'
import { root } from '../repository.ts'

/**
 * The packages in a bundle as a CycloneDX document (https://cyclonedx.org/docs/1.5/json/), with the digests of their
 * archives as the lock file has them, and without a time or a number that would differ from run to run. `npm sbom` can't
 * be asked: it knows the lock file and not the bundle, and `--omit=dev` takes those packages too that both need. Throws
 * when the lock file does not have one of the packages.
 */
export function sbomOf(dist: string, version: string): string {
  const locked = lockedPackages()
  const bom = {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: { type: 'application', name: 'stdb-actions', version } },
    components: packagesIn(dist).map((each) => componentOf(each, locked))
  }
  return `${JSON.stringify(bom, null, 1)}\n`
}

/** The packages whose code is in a bundle, by its own account (scripts/licenses.ts). */
export function packagesIn(dist: string): BundledPackage[] {
  return JSON.parse(readFileSync(join(dist, 'packages.json'), 'utf8'))
}

/** A package in package-lock.json, by the folder that it is installed in. */
export type LockedPackage = { readonly name?: string; readonly version?: string; readonly integrity?: string }

/** Everything in package-lock.json, by folder: `node_modules/ws`. */
export function lockedPackages(): Readonly<Record<string, LockedPackage>> {
  return JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
}

function componentOf({ name, version, license }: BundledPackage, locked: ReturnType<typeof lockedPackages>) {
  const found = Object.entries(locked).find(
    ([folder, entry]) => folder.endsWith(`node_modules/${name}`) && entry.version === version
  )
  const integrity = /^sha512-(.*)$/.exec(found?.[1].integrity ?? '')?.[1]
  if (integrity === undefined) {
    throw new Error(
      `package-lock.json has no SHA-512 of ${name} ${version}, which is in the bundle: run \`npm run build\``
    )
  }
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    hashes: [{ alg: 'SHA-512', content: Buffer.from(integrity, 'base64').toString('hex') }],
    licenses: [licenseOf(license)],
    purl
  }
}

function licenseOf(license: string) {
  if (license.includes(' AND ')) return { expression: license }
  return { license: license in licenses ? { id: license } : { name: license } }
}
