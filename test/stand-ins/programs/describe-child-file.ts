import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describeChild } from './baked.ts'

/**
 * Puts the program that describes modules into a folder, from which `src/module/describe.ts` will start it: that looks
 * beside itself, and in a bundle this is where it is. To be called before it is imported.
 */
export function placeDescribeChild(folder: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'describe-child.js'), describeChild)
  Object.assign(globalThis, { bundleUrl: pathToFileURL(join(resolve(folder), 'bundle.js')).href })
}
