import type { Metafile } from 'esbuild'
import type { Files } from './files.ts'

type Output = Metafile['outputs'][string]

/**
 * esbuild names shared chunks by a hash. Here they are called by the largest part of what is in them, so that they keep
 * their names when that changes: `chunk-yaml.js`, `chunk-release-deploy.js`.
 */
export function withStableNames(files: Files, { outputs }: Metafile): Files {
  const names = stableNames(outputs)
  return new Map([...files].map(([name, content]) => [names.get(name) ?? name, renamed(content, names)]))
}

function stableNames(outputs: Metafile['outputs']): Map<string, string> {
  const chunks = Object.entries(outputs).filter(([, { entryPoint }]) => !entryPoint?.startsWith('virtual:'))
  const names = new Map<string, string>()
  for (const [path, output] of chunks.sort(([, a], [, b]) => (contentsOf(a) < contentsOf(b) ? -1 : 1))) {
    const taken = new Set(names.values())
    const name = `chunk-${subjectOf(output)}`
    let free = `${name}.js`
    for (let number = 2; taken.has(free); number++) free = `${name}-${number}.js`
    names.set(fileName(path), free)
  }
  return names
}

/** Tells apart any two chunks, whatever their hashes are. */
function contentsOf({ entryPoint, inputs, exports }: Output): string {
  return JSON.stringify([entryPoint, Object.keys(inputs).sort(), [...exports].sort()])
}

/** Of a package its name, of a file of ours its folder and its own; the bundler's own functions are in no file. */
function subjectOf({ inputs, entryPoint }: Output): string {
  const [[largest] = [entryPoint]] = Object.entries(inputs).sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput)
  if (largest === undefined) return 'runtime'
  const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(largest)?.[1] ?? largest.replace(/^src\/|\.[jt]s$/g, '')
  return name.replace(/[^\w.]+/g, '-').replace(/^-/, '')
}

function renamed(content: Uint8Array, names: ReadonlyMap<string, string>): Uint8Array {
  const code = Buffer.from(content).toString()
  return Buffer.from(
    code.replace(/(?<=")\.\/([\w.-]+-[A-Z0-9]{8}\.js)(?=")/g, (whole, name) => {
      const stable = names.get(name)
      return stable ? `./${stable}` : whole
    })
  )
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
