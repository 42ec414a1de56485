import { readdirSync } from 'node:fs'
import { ConfigurationError } from '../errors.ts'
import { dotnetVersion } from './dotnet-version.ts'
import { npmVersion } from './npm-version.ts'
import { giveVersion, openProject, type Project, type ProjectVersion } from './project.ts'
import { rustVersion } from './rust-version.ts'

/**
 * The version that a module's project asks for: from its lock file, else from its manifest. `top` is the folder above
 * which no file is looked for: the workspace. The language is told as the `spacetime` CLI does, by the first manifest
 * of Cargo.toml, *.csproj, package.json. Throws a `ConfigurationError` when that gives no version.
 */
export function projectVersion(folder: string, top: string): ProjectVersion {
  const project = openProject(folder, top)
  const names = namesIn(project)
  if (names.includes('Cargo.toml')) return rustVersion(project)
  const csproj = names.filter((name) => name.endsWith('.csproj')).sort()
  if (csproj.length > 0) return dotnetVersion(project, csproj)
  if (names.includes('package.json')) return npmVersion(project)
  if (names.includes('CMakeLists.txt')) {
    throw new ConfigurationError(
      `The module in ${project.shown(project.folder)} is written in C++, whose projects don't say which version of SpacetimeDB they are for. ${giveVersion}`
    )
  }
  throw new ConfigurationError(
    `There is no module project in ${project.shown(project.folder)}: no Cargo.toml, *.csproj, package.json or CMakeLists.txt. Give the project's folder by the input \`path\`, or the input \`version\`, such as \`2.8.3\`.`
  )
}

function namesIn({ folder, shown }: Project): string[] {
  try {
    return readdirSync(folder)
  } catch {
    throw new ConfigurationError(
      `There is no folder ${shown(folder)}. Check the input \`path\`, and that the repository is checked out before.`
    )
  }
}
