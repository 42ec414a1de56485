import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../src/errors.ts'
import { advisoriesAbout, audit } from './release/advisories.ts'
import { lockedPackages, packagesIn } from './release/sbom.ts'
import { root } from './repository.ts'

/** Checks that nothing with a known vulnerability is in the bundle. Without an answer of the registry nothing is known. */
const { values: options } = parseArgs({
  options: {
    dist: { type: 'string', default: join(root, 'dist') },
    /** Whether it is a failure when the registry can't be asked. */
    required: { type: 'boolean', default: false }
  }
})

try {
  const packages = packagesIn(resolve(options.dist))
  const answer = audit(root)
  if (answer.kind === 'unknown') {
    console.error(`NOT CHECKED: whether a package in the bundle is known to be vulnerable. ${answer.why}`)
    if (options.required) process.exitCode = 1
  } else {
    const found = advisoriesAbout(packages, answer.report, lockedPackages())
    for (const line of found) console.error(line)
    if (found.length > 0) process.exitCode = 1
    else console.log(`Nothing is known against any of the ${packages.length} packages in the bundle.`)
  }
} catch (error) {
  console.error(messageOf(error))
  process.exitCode = 1
}
