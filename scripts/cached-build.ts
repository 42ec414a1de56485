import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { bundle } from './bundle.ts'
import { readFiles, replaceFolder } from './files.ts'
import { root } from './repository.ts'

const builds = join(root, 'build')

/**
 * Makes `build/dist` the bundle of the sources as they are now, for tests. A build is kept under the hash of its
 * sources, so there is mostly nothing to do; `build/dist` is a link that is changed at once, so that tests which run
 * in another process lose nothing. Types are left to `npm run check`.
 */
export async function cachedBuild(): Promise<void> {
  const name = `dist-${hashOfSources()}`
  mkdirSync(builds, { recursive: true })
  if (!existsSync(join(builds, name))) {
    const fresh = join(builds, `fresh-${process.pid}`)
    replaceFolder(fresh, await bundle({ tolerateTypeErrors: true }))
    moveUnlessThere(fresh, join(builds, name))
    removeOld(name)
  }
  point('dist', name)
}

function hashOfSources(): string {
  const hash = createHash('sha256')
  const settings = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json']
  for (const file of settings) hash.update(readFileSync(join(root, file)))
  for (const folder of ['actions', 'scripts', 'src']) {
    for (const [path, content] of readFiles(join(root, folder))) {
      if (/\.[jt]s$/.test(path)) hash.update(`${folder}/${path}\n${content.length}\n`).update(content)
    }
  }
  return hash.digest('hex').slice(0, 16)
}

function moveUnlessThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (thrown) {
    if (!existsSync(to)) throw thrown
    rmSync(from, { recursive: true })
  }
}

function point(link: string, target: string): void {
  const next = join(builds, `${link}-${process.pid}`)
  symlinkSync(target, next, 'junction')
  renameSync(next, join(builds, link))
}

/** Older builds may be in use by tests that run now; after an hour they are not. */
function removeOld(current: string): void {
  for (const name of readdirSync(builds)) {
    const path = join(builds, name)
    if (!/^(dist|fresh|bundle)-/.test(name) || name === current) continue
    if (Date.now() - statSync(path).mtimeMs > 3_600_000) rmSync(path, { recursive: true, force: true })
  }
}
