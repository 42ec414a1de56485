import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folders whose tests run the sources alone. */
const withoutDist =
  /\btest\/(module|migration|spacetimedb|smoke|release|github|embedded|stand-ins|build|image|rust|examples|docker(?!\/publish))\b/

/**
 * Brings `build/dist` up to date with the sources, for the tests that run actions as the runner does. A run of chosen
 * tests that need no bundle goes without. When the sources can't be built there is no `build/dist`, rather than an
 * old one: the tests that need it fail, and the others are run.
 */
export default function setup({ testPathPatterns: { patterns } }) {
  if (patterns.length > 0 && patterns.every((pattern) => withoutDist.test(pattern))) return
  const root = fileURLToPath(new URL('.', import.meta.url))
  const build = ['--import', 'tsx', 'scripts/build.ts', '--cached']
  const { status } = spawnSync(process.execPath, build, { cwd: root, stdio: 'inherit' })
  if (status !== 0) rmSync(fileURLToPath(new URL('build/dist', import.meta.url)), { force: true })
}
