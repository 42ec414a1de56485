import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'

/** The content of files by their path in some folder, with `/` between its parts. */
export type Files = ReadonlyMap<string, Uint8Array>

/** All files of a folder, with those of its folders, sorted by path; none when it isn't there. */
export function readFiles(folder: string): Files {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const named = paths.map((path) => [relative(folder, path).split(sep).join('/'), path] as const)
  return new Map(named.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, path]) => [name, readFileSync(path)]))
}

/** Makes a folder hold these files and no others. */
export function replaceFolder(folder: string, files: Files): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const [name, content] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
}

/** In what two sets of files differ, a line for each: `name: why`. */
export function differences(expected: Files, actual: Files): string[] {
  const names = [...new Set([...expected.keys(), ...actual.keys()])].sort()
  return names.flatMap((name) => {
    const [want, have] = [expected.get(name), actual.get(name)]
    if (!want) return [`${name}: should not be there`]
    if (!have) return [`${name}: is missing`]
    return Buffer.compare(want, have) === 0 ? [] : [`${name}: is not what its sources make`]
  })
}
