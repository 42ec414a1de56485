import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { ActionSpec } from '../src/action/spec.ts'
import { messageOf } from '../src/errors.ts'
import { withTables } from './action-readme.ts'
import { actionYaml } from './action-yaml.ts'
import { jsonSchemas } from './json-schemas.ts'
import { actionSpecs, root } from './repository.ts'

const { values: options } = parseArgs({
  options: { check: { type: 'boolean', default: false }, root: { type: 'string', default: root } }
})

try {
  const folder = resolve(options.root)
  const files = [
    ...(await actionSpecs()).flatMap((spec) => generatedFiles(spec, folder)),
    ...jsonSchemas().map(({ path, content }) => ({ path: join(folder, path), content }))
  ]
  const stale = files.filter(({ path, content }) => !existsSync(path) || readFileSync(path, 'utf8') !== content)
  for (const { path, content } of stale) {
    if (options.check) console.error(`${path} is not what its source makes: run \`npm run generate\`.`)
    else {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
    }
  }
  if (options.check && stale.length > 0) process.exitCode = 1
} catch (error) {
  console.error(messageOf(error))
  process.exitCode = 1
}

function generatedFiles(spec: ActionSpec, folder: string): { readonly path: string; readonly content: string }[] {
  const yaml = join(folder, 'actions', spec.name, 'action.yml')
  const readme = join(folder, 'actions', spec.name, 'README.md')
  return [
    { path: yaml, content: actionYaml(spec, '../../dist') },
    { path: readme, content: withTables(existsSync(readme) ? readFileSync(readme, 'utf8') : firstReadme(spec), spec) }
  ]
}

/** What a new action starts with. */
function firstReadme(spec: ActionSpec): string {
  const sections = ['inputs', 'outputs', 'permissions'].map((name) => {
    const title = name[0]?.toUpperCase() + name.slice(1)
    return `## ${title}\n\n<!-- ${name} -->\n<!-- /${name} -->\n`
  })
  return [`# ${spec.title}\n`, `${spec.description}\n`, ...sections].join('\n')
}
