import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../src/errors.ts'
import { withTables } from './action-readme.ts'
import { actionYaml } from './action-yaml.ts'
import { type Files, readFiles, replaceFolder } from './files.ts'
import { jsonSchemas } from './json-schemas.ts'
import { actionSpecs, root } from './repository.ts'

const { values: options } = parseArgs({
  options: {
    out: { type: 'string', default: join(root, 'build', 'release') },
    dist: { type: 'string', default: join(root, 'dist') }
  }
})

try {
  const tree = await releaseTree(resolve(options.dist))
  replaceFolder(resolve(options.out), tree)
  console.log(`${options.out}: ${tree.size} files`)
} catch (error) {
  console.error(messageOf(error))
  process.exitCode = 1
}

/**
 * What a release tag points to, since all of it is downloaded at the start of every job that uses an action:
 * each action in a folder of the root, so that `org/stdb-actions/deploy@v1` finds it, the bundle and licences, what
 * images are built with (found as `../docker/` from the bundle), and the schemas that editors fetch by the tag; no
 * sources and no tests.
 */
async function releaseTree(dist: string): Promise<Files> {
  const files = new Map<string, Uint8Array>()
  for (const [path, content] of readFiles(dist)) files.set(`dist/${path}`, content)
  for (const spec of await actionSpecs()) {
    files.set(`${spec.name}/action.yml`, Buffer.from(actionYaml(spec, '../dist')))
    const readme = readFileSync(join(root, 'actions', spec.name, 'README.md'), 'utf8')
    files.set(`${spec.name}/README.md`, Buffer.from(withTables(readme, spec)))
  }
  for (const { path, content } of jsonSchemas()) files.set(path, Buffer.from(content))
  for (const [path, content] of readFiles(join(root, 'docker'))) files.set(`docker/${path}`, content)
  for (const name of ['LICENSE', 'README.md']) files.set(name, readFileSync(join(root, name)))
  return files
}
