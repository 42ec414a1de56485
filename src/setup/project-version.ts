import { relative } from 'node:path'
import semver from 'semver'
import { bindingsPackages, findBindingsVersion } from '../bindings-version.ts'
import { ConfigurationError } from '../errors.ts'
import { detectLanguage, languageName } from '../module-language.ts'

/** The version of SpacetimeDB that a project is made for, and why it is thought so: one sentence, without an end. */
export type ProjectVersion =
  | { readonly kind: 'exact'; readonly version: string; readonly reason: string }
  /** It has no lock file: what its manifest allows. A range of node-semver. */
  | { readonly kind: 'range'; readonly range: string; readonly reason: string }

/**
 * The version that a module's project asks for: that of its bindings, from its lock file, else from its manifest. Both
 * folders are absolute; no file is looked for above `top`, the workspace. Throws a `ConfigurationError` when the
 * project does not tell.
 */
export async function projectVersion(folder: string, top: string): Promise<ProjectVersion> {
  const shown = (path: string) => relative(top, path).replaceAll('\\', '/') || '.'
  const language = await detectLanguage(folder)
  if (language === undefined) {
    throw new ConfigurationError(
      `There is no module project in the folder ${shown(folder)}, from which to take the version of SpacetimeDB: no Cargo.toml, *.csproj, package.json or CMakeLists.txt. Give the project's folder by the input \`path\`, after the repository was checked out, or the version by the input \`version\`, such as \`2.8.3\`.`
    )
  }
  const found = await findBindingsVersion(folder, language, top)
  switch (found.kind) {
    case 'locked':
      return exact(found.version, `${shown(found.file)} has ${bindingsPackages[language]} ${found.version}`, found.file)
    case 'required': {
      const reason = `${shown(found.file)} asks for ${bindingsPackages[language]} ${found.range}, and there is no lock file that says more`
      if (semver.valid(found.range.replace(/^=\s*/, '')) !== null) {
        return exact(found.range.replace(/^=\s*/, ''), reason, found.file)
      }
      if (semver.validRange(found.range) !== null) return { kind: 'range', range: found.range, reason }
      throw unclear(shown(found.file), `asks for ${JSON.stringify(found.range.slice(0, 100))}, which is no range`)
    }
    case 'unknown': {
      const files = found.lookedAt.length === 0 ? 'none' : [...new Set(found.lookedAt.map(shown))].join(', ')
      throw unclear(
        `The ${languageName(language)} project in ${shown(folder)}`,
        `does not tell: ${found.reason} (looked at: ${files})`
      )
    }
  }

  function exact(text: string, reason: string, file: string): ProjectVersion {
    const version = semver.valid(text)
    if (version !== null) return { kind: 'exact', version, reason }
    throw unclear(shown(file), `has ${JSON.stringify(text.slice(0, 100))}, which is no version`)
  }
}

function unclear(who: string, what: string): ConfigurationError {
  return new ConfigurationError(
    `Which version of SpacetimeDB the module is for could not be found out. ${who} ${what}. Commit the lock file, give the module's folder by the input \`path\`, or give the input \`version\`, such as \`2.8.3\`.`
  )
}
