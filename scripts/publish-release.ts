import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../src/errors.ts'
import { git, publishTags } from './release/tags.ts'

/**
 * Tags a release that release.ts has made, in the repository `--remote` of the one it is run in. This is what runs with
 * the right to write: it needs Node 24 and Git, and nothing installed.
 */
const { values: options } = parseArgs({
  options: { version: { type: 'string' }, bundle: { type: 'string' }, remote: { type: 'string', default: 'origin' } }
})

try {
  const { version, bundle, remote } = options
  if (version === undefined || bundle === undefined) throw new Error('Give --version 1.2.3 --bundle release.bundle')
  const here = process.cwd()
  git(here, ['fetch', '--quiet', '--no-tags', resolve(bundle), `refs/tags/v${version}`])
  const { release, moved, left } = publishTags(here, remote, version, git(here, ['rev-parse', 'FETCH_HEAD']))
  console.log(`${release.tag}: ${release.made ? 'made' : 'was there already'}`)
  for (const tag of moved) console.log(`${tag}: leads to ${release.tag} now`)
  for (const tag of left) console.log(`${tag}: stays with a newer release`)
} catch (error) {
  console.error(messageOf(error))
  process.exitCode = 1
}
