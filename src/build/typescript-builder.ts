import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { ConfigurationError } from '../errors.ts'
import { ProgramMissing } from '../process.ts'
import type { Complaint } from './complaint.ts'
import { placeInRepository, readRolldown, readTsc } from './complaints.ts'
import { installDependencies } from './dependencies.ts'
import { bundleFile, exists, installed, noteInstalled } from './javascript-project.ts'
import { endOf, type Job, type Outcome } from './job.ts'
import { type BundleReport, rolldownConfig, rolldownVersion } from './rolldown-config.ts'

/**
 * Builds a TypeScript module without the CLI: installs its packages, checks its types when it has TypeScript, and bundles
 * it by the project's own rolldown, else by the one that the CLI has. Throws a `ConfigurationError` for a missing program.
 */
export async function buildByRolldown(job: Job): Promise<Outcome> {
  const failure = await installDependencies(job)
  if (failure !== undefined) return failed(failure)
  const unfit = await missingFile(job)
  if (unfit !== undefined) return failed(unfit)
  const checked = await checkTypes(job)
  return checked.kind === 'failed' ? checked : bundle(job)
}

function failed(reason: string, complaints: readonly Complaint[] = []): Outcome & { kind: 'failed' } {
  return { kind: 'failed', reason, complaints }
}

async function missingFile({ project: { folder } }: Job): Promise<string | undefined> {
  if (!(await exists(join(folder, 'src', 'index.ts')))) {
    return 'There is no src/index.ts in the module project: that is where a TypeScript module begins.'
  }
  if (await exists(join(folder, 'tsconfig.json'))) return undefined
  return 'There is no tsconfig.json in the module project. `spacetime init --lang typescript` makes one.'
}

async function checkTypes(job: Job): Promise<{ readonly kind: 'checked' } | (Outcome & { kind: 'failed' })> {
  const tsc = await installed(job, '.bin/tsc')
  if (tsc === undefined) {
    job.say('The types are not checked: the package `typescript` is not installed. Add it to `devDependencies`.')
    return { kind: 'checked' }
  }
  await noteInstalled(job, 'typescript')
  const ran = await job.run(tsc, ['--noEmit', '--pretty', 'false'])
  if (ran.exitCode === 0) return { kind: 'checked' }
  return failed(endOf('tsc', ran), await placed(job, readTsc(ran.stdout)))
}

async function bundle(job: Job): Promise<Outcome> {
  const { project, options, tools } = job
  const file = bundleFile(project)
  const report = join(tools.scratch, 'bundle.json')
  const config = join(tools.scratch, 'rolldown.config.mjs')
  await Promise.all([file, report].map((each) => rm(each, { force: true })))
  await writeFile(config, rolldownConfig({ project: project.folder, file, report, debug: options.debug }))
  const ran = await runRolldown(job, config)
  const complaints = await placed(job, readRolldown(stripVTControlCharacters(`${ran.stdout}\n${ran.stderr}`)))
  if (ran.exitCode !== 0) return failed(endOf('rolldown', ran), complaints)
  const unfit = unfitBundle(JSON.parse(await readFile(report, 'utf8')) as BundleReport)
  return unfit === undefined ? { kind: 'built', file, complaints } : failed(unfit, complaints)
}

async function runRolldown(job: Job, config: string) {
  const own = await installed(job, '.bin/rolldown')
  const npm = ['exec', '--yes', `--package=rolldown@${rolldownVersion}`, '--', 'rolldown']
  const [program, ...args] = own === undefined ? ['npm', ...npm] : [own]
  await job.noteVersion('node')
  if (own === undefined) {
    await job.noteVersion('npm')
    job.versions.rolldown = rolldownVersion
  } else await noteInstalled(job, 'rolldown')
  try {
    return await job.run(program, [...args, '--config', config], {
      // It colours each letter, terminal or not.
      onLine: (line) => job.say(stripVTControlCharacters(line))
    })
  } catch (error) {
    if (!(error instanceof ProgramMissing)) throw error
    throw new ConfigurationError(
      'Node is not installed: `npm` was not found in PATH. Install it by `actions/setup-node` in an earlier step.'
    )
  }
}

/** What the CLI refuses: a bundle with something left out, without SpacetimeDB, with two of it, or without a schema. */
function unfitBundle({ imports, exports }: BundleReport): string | undefined {
  const foreign = imports.filter((name) => !name.startsWith('spacetime:sys@'))
  if (foreign.length > 0) {
    return `Not found, and not on a server either: ${foreign.map((name) => `\`${name}\``).join(', ')}. Add the package to \`dependencies\`.`
  }
  const versions = new Set(imports.flatMap((name) => /^spacetime:sys@(\d+)\./.exec(name)?.[1] ?? []))
  if (versions.size === 0) {
    return 'The module does not use SpacetimeDB: nothing in it imports `spacetimedb/server`. Is src/index.ts the right file?'
  }
  if (versions.size > 1) {
    return 'The module has two versions of `spacetimedb/server` in it. `npm ls spacetimedb` shows where they come from.'
  }
  if (versions.has('2') && !exports.includes('default')) {
    return 'The module does not export its schema. In src/index.ts, write `export default schema({ … })`.'
  }
  return undefined
}

function placed({ tools, project }: Job, complaints: readonly Complaint[]): Promise<Complaint[]> {
  return placeInRepository(complaints, { workspace: tools.workspace, bases: [project.folder, tools.workspace] })
}
