import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import spawn from 'cross-spawn'
import { gt, valid } from 'semver'
import { messageOf } from '../src/errors.ts'
import { withRelease } from './release/changelog.ts'
import { objections } from './release/compatibility.ts'
import { interfaceOf } from './release/interface.ts'
import { lastRelease, writeLastRelease } from './release/last-release.ts'
import { actionSpecs, root } from './repository.ts'

/** Makes the sources those of a version: `npm run release:prepare 1.2.3`. Changes files, and commits nothing. */
const { positionals } = parseArgs({ allowPositionals: true })

try {
  const version = valid(positionals[0])
  if (version === null || positionals.length !== 1) throw new Error('Give one version, such as 1.2.3')
  const { released, accepted } = lastRelease()
  const now = interfaceOf(await actionSpecs(), version)
  if (released !== undefined && !gt(version, released.version))
    throw new Error(`${released.version} was released already`)
  const found = released === undefined ? [] : objections(released, now, accepted)
  if (found.length > 0) throw new Error(found.join('\n'))

  const npm = ['version', version, '--no-git-tag-version', '--allow-same-version', '--ignore-scripts']
  const { status } = spawn.sync('npm', npm, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error('npm could not set the version')
  change('src/version.ts', (text) => text.replace(/(?<=version = ').*(?=')/, version))
  change('CHANGELOG.md', (text) => withRelease(text, version, new Date().toISOString().slice(0, 10)))
  writeLastRelease(now)
  console.log(`Now \`npm run build\`, and commit; once that is on main, tag it source-v${version} and push the tag.`)
} catch (error) {
  console.error(messageOf(error))
  process.exitCode = 1
}

function change(path: string, by: (text: string) => string): void {
  const before = readFileSync(join(root, path), 'utf8')
  const after = by(before)
  if (after === before && !after.includes(positionals[0] ?? '')) throw new Error(`${path} has no place for a version`)
  writeFileSync(join(root, path), after)
}
