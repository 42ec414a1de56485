import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { build as esbuild, transform } from 'esbuild'
import { type Files, readFiles } from './files.ts'
import { licensesOf } from './licenses.ts'
import { actionNames, root } from './repository.ts'

const run = promisify(execFile)

/**
 * Everything that `dist` holds, made from the sources: one bundle for all actions, in chunks that are loaded when
 * they are needed; a stub for each step of each action; the child process that describes modules; licence texts.
 * The same sources make the same bytes, wherever they lie. Throws when the types are wrong, unless told not to mind.
 */
export async function bundle({ tolerateTypeErrors = false } = {}): Promise<Files> {
  const steps = actionNames().flatMap(stepsOf)
  mkdirSync(join(root, 'build'), { recursive: true })
  const work = mkdtempSync(join(root, 'build', 'bundle-'))
  try {
    await compile(work, tolerateTypeErrors)
    writeEntry(work, steps)
    await runNcc(work)
    return new Map([
      ...(await minified(readFiles(join(work, 'out')))),
      ...steps.map((step) => [`${step.name}.js`, Buffer.from(stubOf(step))] as const),
      ...(await describeChild()),
      ['licenses.txt', Buffer.from(await licenses(work, steps))],
      ['package.json', Buffer.from('{ "type": "module" }\n')]
    ])
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** A step of an action that the runner starts: `deploy` or `deploy-post`. */
type ActionStep = { readonly name: string; readonly action: string; readonly phase: 'main' | 'post' }

function stepsOf(action: string): ActionStep[] {
  const phases = (['main', 'post'] as const).filter((phase) => existsSync(join(root, 'actions', action, `${phase}.ts`)))
  return phases.map((phase) => ({ name: phase === 'main' ? action : `${action}-${phase}`, action, phase }))
}

/** ncc reads no TypeScript of this compiler's version, so it gets JavaScript. */
async function compile(work: string, tolerateTypeErrors: boolean): Promise<void> {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const project = join(root, 'tsconfig.build.json')
  try {
    await run(process.execPath, [compiler, '-p', project, '--outDir', work], { cwd: root })
  } catch (thrown) {
    if (!tolerateTypeErrors) throw new Error(`The types are wrong:\n${(thrown as { stdout?: string }).stdout}`)
  }
}

/** Each step is imported with what it alone needs: the bundler makes a chunk of it. */
function writeEntry(work: string, steps: readonly ActionStep[]): void {
  const cases = steps.map(({ name, phase }) => {
    const start = phase === 'main' ? 'runAction' : 'runPost'
    return `  '${name}': { start: ${start}, load: () => import('./step-${name}.js') }`
  })
  const entry = `import { runAction, runPost } from './src/action/run.js'

const steps = {
${cases.join(',\n')}
}

export async function run(name) {
  const { start, load } = steps[name]
  const { spec, phase } = await load()
  await start(spec, phase)
}
`
  writeFileSync(join(work, 'entry.js'), entry)
  for (const { name, action, phase } of steps) {
    const exports = `export { spec } from './actions/${action}/spec.js'
export { ${phase} as phase } from './actions/${action}/${phase}.js'
`
    writeFileSync(join(work, `step-${name}.js`), exports)
  }
  writeFileSync(join(work, 'package.json'), '{ "type": "module" }\n')
  loadUndiciLate(work)
}

/**
 * `@actions/http-client` loads undici for its `getAgentDispatcher`, which nothing calls but `@actions/github`. That
 * costs 400 kB and 50 ms of each start, so undici is loaded when it is used. ncc takes aliases from a tsconfig.json.
 * What stands in for it lies outside of `work`, whose name must not get into the bundle.
 */
function loadUndiciLate(work: string): void {
  const paths = { undici: [relative(work, join(root, 'scripts', 'lazy-undici.js'))] }
  writeFileSync(join(work, 'tsconfig.json'), JSON.stringify({ compilerOptions: { baseUrl: '.', paths } }))
}

/**
 * In a process of its own, since ncc names modules by their path from the current folder, which is to be the same
 * in every checkout.
 */
async function runNcc(work: string): Promise<void> {
  const cli = createRequire(import.meta.url).resolve('@vercel/ncc/dist/ncc/cli.js')
  const options = ['--out', 'out', '--no-cache', '--quiet']
  try {
    await run(process.execPath, [cli, 'build', 'entry.js', ...options], { cwd: work })
  } catch (thrown) {
    const [reason] = (thrown as { stderr: string }).stderr.split('\n    at ')
    throw new Error(`The sources can't be bundled:\n${reason}`)
  }
}

/** The licences of what is bundled. ncc's own option keeps those of the last chunk only. */
function licenses(work: string, steps: readonly ActionStep[]): Promise<string> {
  const entries = ['entry', ...steps.map(({ name }) => `step-${name}`)].map((name) => join(work, `${name}.js`))
  return licensesOf(entries, root)
}

/** ncc's own option minifies the main file only. */
async function minified(files: Files): Promise<Files> {
  const all = [...files].map(async ([name, content]) => [name, await minifiedFile(name, content)] as const)
  return new Map(await Promise.all(all))
}

async function minifiedFile(name: string, content: Uint8Array): Promise<Uint8Array> {
  if (!name.endsWith('.js')) return content
  const { code } = await transform(Buffer.from(content).toString(), {
    minify: true,
    format: 'esm',
    target: 'node20',
    charset: 'utf8',
    legalComments: 'none'
  })
  return Buffer.from(code)
}

/**
 * What the runner starts. Nothing may be left uncaught: Node would print the line where it happened, which in a
 * minified file is all of it. The process ends when the step does, whatever is still open.
 */
function stubOf(step: ActionStep): string {
  return `try {
  const { run } = await import('./index.js')
  await run('${step.name}')
} catch (error) {
  const message = String(error?.message ?? error).replaceAll('%', '%25').replaceAll('\\r', '%0D').replaceAll('\\n', '%0A')
  console.log(\`::error title=${step.action} could not be started::\${message}\`)
  process.exitCode = 1
}
process.stdout.write('', () => process.exit())
`
}

/** The program that runs a module's own code to describe it: one file, so that a child can be allowed nothing else. */
async function describeChild(): Promise<[string, Uint8Array][]> {
  const { outputFiles, metafile } = await esbuild({
    entryPoints: ['src/module/describe-child.js'],
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    minify: true,
    charset: 'utf8',
    legalComments: 'none'
  })
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path))
  const foreign = imports.filter((path) => !isBuiltin(path))
  if (foreign.length > 0) throw new Error(`describe-child.js must stand alone, but imports ${foreign.join(', ')}`)
  return outputFiles.map(({ contents }) => ['describe-child.js', contents])
}
