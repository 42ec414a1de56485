import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { version as builtIn } from '../../src/version.ts'
import { actionSpecs, root } from '../repository.ts'
import { workflowDocuments } from '../workflow-documents.ts'
import { notesOf } from './changelog.ts'
import { interfaceOf } from './interface.ts'
import { lastRelease } from './last-release.ts'
import { majorsNamedIn } from './own-name.ts'

/** What is still to be done before the sources can be released as a version, a line for each. */
export async function stillToDo(version: string): Promise<string[]> {
  const todo: string[] = []
  const stated = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version
  if (stated !== version || builtIn !== version) {
    todo.push(`the sources are version ${builtIn} (src/version.ts) and ${stated} (package.json)`)
  }
  if (notesOf(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), version) === undefined) {
    todo.push(`CHANGELOG.md says nothing of ${version}`)
  }
  if (!isDeepStrictEqual(lastRelease().released, interfaceOf(await actionSpecs(), version))) {
    todo.push(`actions/last-release.json is not the inputs and outputs of ${version}`)
  }
  const shown = shownMajors()
  if (shown.some((major) => major !== Number(version.split('.')[0]))) {
    todo.push(`workflows that are shown name v${shown.join(' and v')}`)
  }
  return todo
}

/** The major versions of our actions that documents and examples name. */
export function shownMajors(): number[] {
  return [...new Set(workflowDocuments(root).flatMap(({ text }) => majorsNamedIn(text)))].sort()
}
