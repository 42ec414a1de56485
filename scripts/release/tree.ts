import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ActionSpec } from '../../src/action/spec.ts'
import { version } from '../../src/version.ts'
import { withTables } from '../action-readme.ts'
import { actionYaml } from '../action-yaml.ts'
import { type Files, readFiles } from '../files.ts'
import { jsonSchemas } from '../json-schemas.ts'
import { actionSpecs, root } from '../repository.ts'
import { checksumsOf } from './checksums.ts'
import { movedLinks } from './links.ts'
import { placeholder, withRepository } from './own-name.ts'
import { sbomOf } from './sbom.ts'

export type ReleaseOf = {
  /** The folder with the bundle. */
  readonly dist: string
  /** Where releases are published: `owner/name`. The placeholder itself leaves texts as they are. */
  readonly repository?: string
  /** The commit, or a branch, that links to files lead to which are not in the tree. */
  readonly source?: string
}

/** The action that the root of a release is too: `uses: org/stdb-actions@v1`, and what the Marketplace lists. */
const rootAction = 'deploy'

/**
 * What a release tag points to, since all of it is downloaded at the start of every job that uses an action:
 * each action in a folder of the root, so that `org/stdb-actions/deploy@v1` finds it, and one of them as the root
 * itself; the bundle and licences, what images are built with (found as `../docker/` from the bundle), the schemas that
 * editors fetch by the tag; documentation and workflows to copy, with the repository's name in them; what it is made of
 * (`sbom.cdx.json`) and the digests of all that (`SHA256SUMS`). No sources and no tests of ours.
 */
export async function releaseTree({ dist, repository = placeholder, source = 'main' }: ReleaseOf): Promise<Files> {
  const specs = await actionSpecs()
  const texts = new Map<string, Uint8Array>()
  for (const [path, content] of documents(specs)) texts.set(path, content)
  for (const { path, content } of jsonSchemas()) texts.set(path, Buffer.from(content))

  const places = new Map([...texts.keys()].map((path) => [path, placeInRelease(path)]))
  const placeOf = (path: string) => places.get(path) ?? placeOfFolder(path, [...places.keys()])
  const sources = `https://github.com/${placeholder}/blob/${source}`
  const files = new Map<string, Uint8Array>()
  for (const [path, content] of texts) {
    const to = placeInRelease(path)
    const text = Buffer.from(content).toString()
    const moved = path.endsWith('.md') ? movedLinks(text, { from: path, to, placeOf, sources }) : text
    files.set(to, Buffer.from(withRepository(withoutMarked(moved), repository)))
  }

  for (const spec of specs) files.set(`${spec.name}/action.yml`, Buffer.from(actionYaml(spec, '../dist')))
  const atRoot = specs.find(({ name }) => name === rootAction)
  if (atRoot) files.set('action.yml', Buffer.from(actionYaml(atRoot, 'dist')))
  for (const [path, content] of readFiles(dist)) files.set(`dist/${path}`, content)
  for (const [path, content] of readFiles(join(root, 'docker'))) files.set(`docker/${path}`, content)
  files.set('sbom.cdx.json', Buffer.from(sbomOf(dist, version)))
  const sorted = new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)))
  return sorted.set('SHA256SUMS', Buffer.from(checksumsOf(sorted)))
}

/** What people read and copy, by its path in the repository. */
function documents(specs: readonly ActionSpec[]): [string, Uint8Array][] {
  const readmes = specs.map((spec): [string, Uint8Array] => {
    const path = `actions/${spec.name}/README.md`
    return [path, Buffer.from(withTables(readFileSync(join(root, path), 'utf8'), spec))]
  })
  const shown = execFileSync('git', ['ls-files', '-z', '--', ...documentFolders], { cwd: root, encoding: 'utf8' })
  const paths = ['LICENSE', 'README.md', 'CHANGELOG.md', 'SECURITY.md', ...shown.split('\0').filter(Boolean)]
  return [...readmes, ...paths.map((path): [string, Uint8Array] => [path, readFileSync(join(root, path))])]
}

/** Lines that are marked so say what is so only in the sources, such as what the placeholder stands for. */
function withoutMarked(text: string): string {
  return text.replace(/^.*<!-- not in a release -->\n/gm, '')
}

const documentFolders = ['docs', 'workflows-examples', 'examples']

function placeInRelease(path: string): string {
  return path.replace(/^actions\/([^/]+)\//, '$1/')
}

function placeOfFolder(folder: string, paths: readonly string[]): string | undefined {
  return paths.some((path) => path.startsWith(`${folder}/`)) ? placeInRelease(`${folder}/`).slice(0, -1) : undefined
}
