import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../src/errors.ts'
import { notesOf } from './release/changelog.ts'
import { movedLinks } from './release/links.ts'
import { makeRelease } from './release/make.ts'
import { placeholder } from './release/own-name.ts'
import { stillToDo } from './release/readiness.ts'
import { git } from './release/tags.ts'
import { root } from './repository.ts'

/** Makes everything that publish-release.ts and GitHub need for a release, from what is committed. */
const { values: options } = parseArgs({
  options: {
    version: { type: 'string' },
    repository: { type: 'string' },
    out: { type: 'string', default: join(root, 'build', 'to-release') }
  }
})

try {
  const { version, repository } = options
  if (version === undefined || !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) throw new Error('Give --version 1.2.3')
  if (repository === undefined || repository === placeholder || !/^[\w.-]+\/[\w.-]+$/.test(repository)) {
    throw new Error('Give --repository owner/name: the repository that the release is published in')
  }
  const todo = await stillToDo(version)
  if (git(root, ['status', '--porcelain']) !== '') todo.push('not all is committed')
  if (todo.length > 0) throw new Error(`${version} can not be released:\n${todo.map((line) => `  ${line}`).join('\n')}`)

  const out = resolve(options.out)
  const source = git(root, ['rev-parse', 'HEAD'])
  const { commit } = await makeRelease({ version, repository, source, dist: join(root, 'dist'), out })
  writeFileSync(join(out, 'notes.md'), releaseNotes(out, version, repository))
  console.log(`${out}: ${version}, as commit ${commit}`)
} catch (error) {
  console.error(messageOf(error))
  process.exitCode = 1
}

/** What the changelog in the release says, with links that lead to the files of the release from anywhere. */
function releaseNotes(out: string, version: string, repository: string): string {
  const notes = notesOf(readFileSync(join(out, 'tree', 'CHANGELOG.md'), 'utf8'), version) ?? ''
  const sources = `https://github.com/${repository}/blob/v${version}`
  return movedLinks(notes, { from: 'CHANGELOG.md', to: 'CHANGELOG.md', placeOf: () => undefined, sources })
}
