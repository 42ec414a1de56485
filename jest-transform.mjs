import { transformSync } from 'esbuild'

/**
 * Strips the types of a TypeScript file for jest: the sources are erasable, so this is all there is to do.
 * @type {import('@jest/transform').SyncTransformer}
 */
export default {
  process(source, path) {
    const { code } = transformSync(source, {
      loader: 'ts',
      format: 'esm',
      target: 'node20',
      sourcefile: path,
      sourcemap: 'inline'
    })
    return { code }
  }
}
