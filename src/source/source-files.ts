import { opendir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModuleLanguage } from '../module-language.ts'

export type SourceFile = { readonly path: string; readonly content: string }

/** How much is read at the most; sizes in bytes. */
export type SourceLimits = {
  readonly folders: number
  readonly files: number
  /** Of a file; a larger one is left out. */
  readonly fileSize: number
  /** Of all together. */
  readonly size: number
}

const defaultLimits: SourceLimits = { folders: 2_000, files: 1_000, fileSize: 256 * 1024, size: 16 * 1024 * 1024 }

/**
 * The source files of a language in a folder and those below it, in no order. What was built, what was installed and
 * what was generated for clients is left out, and so is what can't be read and what links lead to. Throws nothing.
 */
export async function* sourceFiles(
  folder: string,
  language: ModuleLanguage,
  limits: SourceLimits = defaultLimits
): AsyncGenerator<SourceFile, void> {
  const folders = [folder]
  let [looked, files, size] = [0, 0, 0]
  for (let current = folders.shift(); current !== undefined && looked < limits.folders; current = folders.shift()) {
    looked += 1
    for (const { name, isFolder } of await entriesOf(current)) {
      const path = join(current, name)
      if (isFolder) {
        if (!name.startsWith('.') && !skippedFolders.has(name)) folders.push(path)
      } else if (extensions[language].test(name)) {
        if (files === limits.files || size > limits.size) return
        files += 1
        const content = await contentOf(path, limits.fileSize)
        size += content?.length ?? 0
        if (content !== undefined) yield { path, content }
      }
    }
  }
}

const skippedFolders: ReadonlySet<string> = new Set([
  'target',
  'node_modules',
  'bin',
  'obj',
  'dist',
  'build',
  'module_bindings'
])

const extensions: Readonly<Record<ModuleLanguage, RegExp>> = {
  rust: /\.rs$/,
  typescript: /(?<!\.d)\.[cm]?[jt]sx?$/,
  csharp: /(?<!\.g)\.cs$/,
  cpp: /\.(?:cpp|cc|cxx|hpp|hh|h)$/
}

async function entriesOf(folder: string): Promise<{ name: string; isFolder: boolean }[]> {
  const entries: { name: string; isFolder: boolean }[] = []
  try {
    for await (const entry of await opendir(folder)) {
      if (entry.isDirectory() || entry.isFile()) entries.push({ name: entry.name, isFolder: entry.isDirectory() })
    }
  } catch {
    // What can't be read has no lines to point to.
  }
  return entries
}

async function contentOf(path: string, limit: number): Promise<string | undefined> {
  try {
    const { size } = await stat(path)
    return size > limit ? undefined : await readFile(path, 'utf8')
  } catch {
    return undefined
  }
}
