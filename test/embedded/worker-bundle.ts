import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

let bundle: Promise<string> | undefined

/** The worker as one script, made once: workers start faster from it, and Node 20 can't run TypeScript. */
export function workerScript(): Promise<string> {
  bundle ??= build({
    entryPoints: [fileURLToPath(new URL('worker.ts', import.meta.url))],
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    write: false
  }).then(({ outputFiles }) => outputFiles[0]?.text ?? '')
  return bundle
}
