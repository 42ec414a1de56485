import { dirname, isAbsolute, relative, sep } from 'node:path'

/** Whether a path lies in a folder, or is it. Both absolute. */
export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

/** A folder and those above it, the nearest first, up to `topmost`; the folder alone when it does not lie in that. */
export function foldersUp(folder: string, topmost: string): string[] {
  const isBelow = folder !== topmost && isWithin(topmost, folder)
  return isBelow ? [folder, ...foldersUp(dirname(folder), topmost)] : [folder]
}
