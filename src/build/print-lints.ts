import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Complaint } from './complaint.ts'
import { printLintMessage } from './complaints.ts'

/**
 * The lines of a folder's Rust sources that print, which does nothing in a module: the check of `spacetime build`
 * (crates/cli/src/tasks/rust.rs). Places are absolute.
 */
export async function printLints(folder: string): Promise<Complaint[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  const files = entries.filter((each) => each.isFile() && each.name.endsWith('.rs'))
  const found = await Promise.all(files.map(({ parentPath, name }) => lintsIn(join(parentPath, name))))
  return found.flat()
}

async function lintsIn(file: string): Promise<Complaint[]> {
  const lines = (await readFile(file, 'utf8')).split('\n')
  return lines.flatMap((text, at) => {
    const macro = /\b(e?println!|e?print!|dbg!)/.exec(text)?.[1]
    if (macro === undefined) return []
    return [{ severity: 'error', message: printLintMessage(macro), place: { file, line: at + 1 } } satisfies Complaint]
  })
}
