import { parseArgs } from 'node:util'
import { messageOf } from '../src/errors.ts'
import { version } from '../src/version.ts'
import { objections } from './release/compatibility.ts'
import { interfaceOf } from './release/interface.ts'
import { lastRelease } from './release/last-release.ts'
import { actionSpecs } from './repository.ts'

/** Checks that workflows written for the last release do as before with the actions as they are now. */
const { values: options } = parseArgs({ options: { folder: { type: 'string' } } })

try {
  const { released, accepted } = lastRelease(options.folder)
  if (released === undefined) {
    console.log('No version was released yet, so inputs and outputs are compared with nothing.')
  } else {
    const found = objections(released, interfaceOf(await actionSpecs(), version), accepted)
    for (const line of found) console.error(line)
    if (found.length > 0) process.exitCode = 1
    else console.log(`Workflows for ${released.version} do as before.`)
  }
} catch (error) {
  console.error(messageOf(error))
  process.exitCode = 1
}
