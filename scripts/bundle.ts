import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { type BuildOptions, build, type Metafile } from 'esbuild'
import { builtinsByCall, leaveUnusedOut, smallGitHub, virtualFiles } from './bundle-plugins.ts'
import { withStableNames } from './chunk-names.ts'
import type { Files } from './files.ts'
import { packageFiles } from './licenses.ts'
import { actionNames, root } from './repository.ts'

/**
 * Everything that `dist` holds, made from the sources: the code of all actions, in chunks that they share and that are
 * loaded when they are needed; a stub for each step of each action; the child process that describes modules; which
 * packages are in it, and their licence texts. The same sources make the same bytes, wherever they lie. Throws when the
 * types are wrong, unless told not to mind, and when a licence doesn't fit.
 */
export async function bundle({ tolerateTypeErrors = false } = {}): Promise<Files> {
  if (!tolerateTypeErrors) await checkTypes()
  const steps = actionNames().flatMap(stepsOf)
  const chunks = await chunksOf(steps)
  const child = await describeChild()
  return new Map([
    ...withStableNames(chunks.files, chunks.metafile),
    ...steps.map((step) => [`${step.name}.js`, Buffer.from(stubOf(step))] as const),
    ...child.files,
    ...packageFiles([chunks.metafile, child.metafile], root),
    ['package.json', Buffer.from('{ "type": "module" }\n')]
  ])
}

/** A step of an action that the runner starts: `deploy` or `deploy-post`. */
type ActionStep = { readonly name: string; readonly action: string; readonly phase: 'main' | 'post' }

function stepsOf(action: string): ActionStep[] {
  const phases = (['main', 'post'] as const).filter((phase) => existsSync(join(root, 'actions', action, `${phase}.ts`)))
  return phases.map((phase) => ({ name: phase === 'main' ? action : `${action}-${phase}`, action, phase }))
}

async function checkTypes(): Promise<void> {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  try {
    await promisify(execFile)(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root })
  } catch (thrown) {
    throw new Error(`The types are wrong:\n${(thrown as { stdout?: string }).stdout}`)
  }
}

type Built = { readonly files: Files; readonly metafile: Metafile }

function chunksOf(steps: readonly ActionStep[]): Promise<Built> {
  const entries = new Map(steps.map((step) => [`step-${step.name}`, entryOf(step)]))
  return built({
    entryPoints: [...entries.keys()].map((name) => ({ in: `virtual:${name}`, out: name })),
    outdir: 'dist',
    splitting: true,
    plugins: [virtualFiles(entries), smallGitHub, leaveUnusedOut, builtinsByCall],
    // So ws does without its compiled companions (https://github.com/websockets/ws#opt-in-for-performance).
    define: { 'process.env.WS_NO_BUFFER_UTIL': '"1"', 'process.env.WS_NO_UTF_8_VALIDATE': '"1"' }
  })
}

function entryOf({ action, phase }: ActionStep): string {
  const start = phase === 'main' ? 'runAction' : 'runPost'
  return `import { ${phase} as phase } from './actions/${action}/${phase}.ts'
import { spec } from './actions/${action}/spec.ts'
import { ${start} } from './src/action/run.ts'

export const run = () => ${start}(spec, phase)
`
}

/** The program that runs a module's own code to describe it: one file, so that a child can be allowed nothing else. */
function describeChild(): Promise<Built> {
  return built({ entryPoints: ['src/module/describe-child.js'], outdir: 'dist' })
}

/** Throws unless all that is imported is in the bundle or comes with Node. */
async function built(options: BuildOptions): Promise<Built> {
  const { outputFiles, metafile, warnings } = await build({
    ...options,
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    minify: true,
    // One character outside of Latin-1 would make V8 hold all of its file in two bytes a character, and read it slower.
    charset: 'ascii',
    legalComments: 'none',
    logLevel: 'error'
  })
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports)
  const foreign = imports.filter(({ path, external }) => external && !isBuiltin(path)).map(({ path }) => path)
  if (foreign.length > 0) throw new Error(`The bundle must stand alone, but imports ${foreign.join(', ')}`)
  if (warnings.length > 0) throw new Error(`The bundle may be wrong: ${warnings.map(({ text }) => text).join('; ')}`)
  return { files: new Map(outputFiles.map(({ path, contents }) => [basename(path), contents])), metafile }
}

/**
 * What the runner starts. Nothing may be left uncaught: Node would print the line where it happened, which in a
 * minified file is all of it. The process ends when the step does, whatever is still open.
 */
function stubOf(step: ActionStep): string {
  return `try {
  const { run } = await import('./step-${step.name}.js')
  await run()
} catch (error) {
  const message = String(error?.message ?? error).replaceAll('%', '%25').replaceAll('\\r', '%0D').replaceAll('\\n', '%0A')
  console.log(\`::error title=${step.action} could not be started::\${message}\`)
  process.exitCode = 1
}
process.stdout.write('', () => process.exit())
`
}
