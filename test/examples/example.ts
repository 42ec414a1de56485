import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { root } from '../../scripts/repository.ts'

/** The worked example, `examples/counter`. */
export const example = join(root, 'examples/counter')

/** The text of a file of the example. */
export function textOf(path: string): string {
  return readFileSync(join(example, path), 'utf8')
}

/** The files of a kind below the example, as paths from there, sorted. Keys that somebody made for himself are no part of it. */
export function filesOf(ending: RegExp): string[] {
  return readdirSync(example, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ending.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(example.length + 1))
    .filter((path) => !/(^|\/)(target|keys)\//.test(path))
    .sort()
}

/** The documents of a YAML file; throws for anything that is no good YAML 1.2. */
// biome-ignore lint/suspicious/noExplicitAny: manifests are looked into at many places, and `undefined` there fails a test
export function documentsOf(path: string): any[] {
  return parseAllDocuments(textOf(path), { strict: true, uniqueKeys: true }).map((document) => {
    const [problem] = [...document.errors, ...document.warnings]
    if (problem !== undefined) throw new Error(`${path}: ${problem.message}`)
    return document.toJS()
  })
}
