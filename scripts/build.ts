import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../src/errors.ts'
import { bundle } from './bundle.ts'
import { cachedBuild } from './cached-build.ts'
import { differences, type Files, readFiles, replaceFolder } from './files.ts'
import { root } from './repository.ts'

const { values: options } = parseArgs({
  options: {
    out: { type: 'string', default: resolve(root, 'dist') },
    check: { type: 'boolean', default: false },
    cached: { type: 'boolean', default: false },
    'tolerate-type-errors': { type: 'boolean', default: false }
  }
})

try {
  const made = () => bundle({ tolerateTypeErrors: options['tolerate-type-errors'] })
  if (options.check) checkDist(options.out, await made())
  else if (options.cached) await cachedBuild()
  else writeDist(options.out, await made())
} catch (error) {
  console.error(messageOf(error))
  process.exitCode = 1
}

function writeDist(folder: string, files: Files): void {
  replaceFolder(resolve(folder), files)
  const size = [...files.values()].reduce((sum, content) => sum + content.length, 0)
  console.log(`${folder}: ${files.size} files, ${Math.round(size / 1_000)} kB`)
}

function checkDist(folder: string, files: Files): void {
  const found = differences(files, readFiles(resolve(folder)))
  if (found.length === 0) return
  console.error(`${folder} is not current:\n${found.map((line) => `  ${line}`).join('\n')}\nRun \`npm run build\`.`)
  process.exitCode = 1
}
