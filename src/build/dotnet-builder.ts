import { readdir, readFile, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { XMLParser } from 'fast-xml-parser'
import { ConfigurationError } from '../errors.ts'
import { ProgramMissing } from '../process.ts'
import { placeInRepository, readComplaints } from './complaints.ts'
import { type DotnetWay, dotnetModuleFiles } from './dotnet-project.ts'
import { exists } from './javascript-project.ts'
import { endOf, type Job, type Outcome } from './job.ts'
import { optimise } from './wasm.ts'

/**
 * Builds a C# module by `dotnet publish`, as the CLI does it (crates/cli/src/tasks/csharp.rs). Throws a
 * `ConfigurationError` when .NET is missing, or has another version than the module needs.
 */
export async function buildByDotnet(job: Job): Promise<Outcome> {
  const { project, options } = job
  const way = await wayOf(job)
  const files = dotnetModuleFiles(project.folder, options.debug, way)
  await Promise.all(files.map((file) => rm(file, { force: true })))
  job.environment = withAheadOfTime(job.environment, way)
  const steps = [...(await workloadSteps(job, way)), ...(await publishSteps(job, way))]
  let said = ''
  for (const args of steps) {
    const ran = await job.run('dotnet', args)
    said += `${ran.stdout}\n${ran.stderr}\n`
    if (ran.exitCode !== 0) {
      const reason = endOf(`dotnet ${args[0]}`, ran) + (args[0] === 'workload' ? ` ${workloadAdvice}` : '')
      return { kind: 'failed', reason, complaints: await placed(job, said) }
    }
  }
  const complaints = await placed(job, said)
  for (const file of files) {
    if (await exists(file)) return { kind: 'built', file: options.debug ? file : await optimise(job, file), complaints }
  }
  const looked = files.map((file) => file.slice(project.folder.length + 1)).join(', ')
  return { kind: 'failed', reason: `\`dotnet publish\` made no module: there is none of ${looked}.`, complaints }
}

const workloadAdvice =
  'Installing a workload may need more rights: run `dotnet workload install wasi-experimental` in an earlier step.'

/** What is asked for, else what the project says; the SDK that runs must be that one. */
async function wayOf(job: Job): Promise<DotnetWay> {
  const sdk = await sdkOf(job)
  const wanted = job.options.dotnetVersion ?? (await onlyFramework(job)) ?? majorOf(sdk)
  if (wanted !== 8 && wanted !== 10) {
    throw new ConfigurationError(`C# modules need .NET 8 or .NET 10, and this one is for .NET ${wanted}.`)
  }
  if (majorOf(sdk) !== wanted) {
    throw new ConfigurationError(
      `The module needs the SDK of .NET ${wanted}, and \`dotnet\` is ${sdk} there. Install .NET ${wanted} by \`actions/setup-dotnet\`, ` +
        'and choose it by a global.json in the project: ' +
        `{"sdk": {"version": "${wanted}.0.100", "rollForward": "latestFeature"}}.`
    )
  }
  return wanted === 10
    ? { framework: 'net10.0', aheadOfTime: true }
    : { framework: 'net8.0', aheadOfTime: job.options.nativeAot }
}

async function sdkOf(job: Job): Promise<string> {
  try {
    const ran = await job.run('dotnet', ['--version'], { quiet: true })
    const version = ran.stdout.trim()
    if (ran.exitCode !== 0)
      throw new ConfigurationError(`\`dotnet\` finds no SDK for the module: ${ran.stderr.trim() || version}`)
    job.versions.dotnet = version
    return version
  } catch (error) {
    if (!(error instanceof ProgramMissing)) throw error
    throw new ConfigurationError(
      '.NET is not installed: `dotnet` was not found in PATH. Install .NET 8 or 10 by `actions/setup-dotnet` in an earlier step.'
    )
  }
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10)
}

async function projectFile({ project: { folder } }: Job): Promise<string> {
  const file = (await readdir(folder)).find((name) => name.endsWith('.csproj'))
  return join(folder, `${file}`)
}

/** The version of .NET in the project file, when it names one alone. */
async function onlyFramework(job: Job): Promise<number | undefined> {
  const parsed: unknown = new XMLParser({ parseTagValue: false }).parse(await readFile(await projectFile(job), 'utf8'))
  const { Project } = parsed as { Project?: { PropertyGroup?: PropertyGroup | PropertyGroup[] } }
  const frameworks = [Project?.PropertyGroup ?? []]
    .flat()
    .flatMap((group) => `${group.TargetFramework ?? ''};${group.TargetFrameworks ?? ''}`.split(';'))
  const majors = new Set(frameworks.flatMap((framework) => /^\s*net(\d+)\./.exec(framework)?.[1] ?? []))
  return majors.size === 1 ? Number([...majors][0]) : undefined
}

type PropertyGroup = { readonly TargetFramework?: string; readonly TargetFrameworks?: string }

/** The bindings' targets compile ahead of time when this is set, whatever it is. */
function withAheadOfTime(environment: Job['environment'], { aheadOfTime }: DotnetWay): Record<string, string> {
  const { EXPERIMENTAL_WASM_AOT: _, ...rest } = environment
  return aheadOfTime ? { ...rest, EXPERIMENTAL_WASM_AOT: '1' } : rest
}

async function workloadSteps(job: Job, { aheadOfTime }: DotnetWay): Promise<string[][]> {
  if (aheadOfTime) return []
  const installed = await job.ask('dotnet', ['workload', 'list'])
  if (installed?.includes('wasi-experimental')) return []
  return [['workload', 'install', 'wasi-experimental', '--skip-manifest-update']]
}

/** On .NET 8 what was restored before may be for the other way, so it is restored again. */
async function publishSteps(job: Job, { framework }: DotnetWay): Promise<string[][]> {
  const file = basename(await projectFile(job))
  const publish = ['publish', file, '-c', job.options.debug ? 'Debug' : 'Release', '-f', framework, '-v', 'quiet']
  if (framework === 'net10.0') return [publish]
  const only = `-p:TargetFrameworks=${framework}`
  return [
    ['restore', file, '--force', only],
    [...publish, '--no-restore', '--force', only]
  ]
}

function placed({ tools, project }: Job, said: string) {
  const folders = { workspace: tools.workspace, bases: [project.folder, tools.workspace] }
  return placeInRepository(readComplaints('csharp', said), folders)
}
