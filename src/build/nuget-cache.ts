import { askProgram, type CacheTools, type LanguageCache } from './language-cache.ts'
import type { ModuleProject } from './project.ts'

/** NuGet's packages: https://learn.microsoft.com/nuget/consume-packages/managing-the-global-packages-and-cache-folders. */
export async function nugetCache(project: ModuleProject, tools: CacheTools): Promise<LanguageCache> {
  const toolchain = await askProgram('dotnet', ['--version'], project, tools)
  const listed = await askProgram('dotnet', ['nuget', 'locals', 'global-packages', '--list'], project, tools)
  const folder = /global-packages:\s*(.+)/.exec(listed)?.[1]?.trim()
  if (folder === undefined) throw new Error(`dotnet does not say where its packages are: ${listed}`)
  return { paths: [folder], toolchain }
}
