import { join } from 'node:path'
import { messageOf } from '../src/errors.ts'
import { releaseSize, sizeBudget } from './release/size.ts'
import { root } from './repository.ts'

/** Checks that a release of the committed bundle is within its budget. */
try {
  const size = await releaseSize(join(root, 'dist'))
  const [is, may] = [size, sizeBudget].map((bytes) => `${Math.round(bytes / 1_000)} kB`)
  if (size <= sizeBudget) console.log(`A release is ${is} to download, of ${may} that it may be.`)
  else {
    console.error(`A release is ${is} to download, and may be ${may}: see what was added to dist or docs.`)
    process.exitCode = 1
  }
} catch (error) {
  console.error(messageOf(error))
  process.exitCode = 1
}
