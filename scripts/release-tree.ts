import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../src/errors.ts'
import { replaceFolder } from './files.ts'
import { placeholder } from './release/own-name.ts'
import { releaseTree } from './release/tree.ts'
import { root } from './repository.ts'

const { values: options } = parseArgs({
  options: {
    out: { type: 'string', default: join(root, 'build', 'release') },
    dist: { type: 'string', default: join(root, 'dist') },
    repository: { type: 'string', default: placeholder },
    source: { type: 'string', default: 'main' }
  }
})

try {
  const { repository, source } = options
  const tree = await releaseTree({ dist: resolve(options.dist), repository, source })
  replaceFolder(resolve(options.out), tree)
  console.log(`${options.out}: ${tree.size} files`)
} catch (error) {
  console.error(messageOf(error))
  process.exitCode = 1
}
