import { relative } from 'node:path'
import { parseArgs } from 'node:util'
import { ConfigurationError, messageOf } from '../errors.ts'

/** The languages that `spacetime generate` knows (crates/cli/src/subcommands/generate.rs), and how they may be called. */
const languages = {
  typescript: 'typescript',
  ts: 'typescript',
  csharp: 'csharp',
  'c#': 'csharp',
  cs: 'csharp',
  rust: 'rust',
  rs: 'rust',
  unrealcpp: 'unrealcpp',
  unreal: 'unrealcpp'
} as const

export type BindingsLanguage = (typeof languages)[keyof typeof languages]

/** Generated client code that lies in the repository. */
export type BindingsTarget = {
  readonly language: BindingsLanguage
  /** As it was written: from the workspace. For Unreal the project's folder, in which the code is in `Source/MODULE`. */
  readonly folder: string
  /** Options that `spacetime generate` is given besides. */
  readonly options: readonly string[]
  /** The module of an Unreal project. */
  readonly unrealModule?: string
}

const allowed =
  'A line of it is `language:folder`, such as `typescript:client/src/module_bindings`; languages are `typescript`, `csharp`, ' +
  '`rust` and `unrealcpp`. After the folder there may be options of `spacetime generate`: `--include-private`, `--namespace N` ' +
  '(C#), `--unreal-module-name N` and `--module-prefix P` (Unreal).'

/** Reads the input `bindings`. Throws a `ConfigurationError` that names the line that is wrong. */
export function parseBindings(text: string): BindingsTarget[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  const targets = lines.filter((line) => line !== '' && !line.startsWith('#')).map(parseLine)
  const folders = new Set<string>()
  for (const { folder, unrealModule = '' } of targets) {
    const place = `${folder.replace(/\/+$/, '')} ${unrealModule}`
    if (folders.has(place)) throw wrong(folder, 'two lines name this folder, and each would remove what the other made')
    folders.add(place)
  }
  return targets
}

function parseLine(line: string): BindingsTarget {
  const [target = '', ...rest] = line.split(/\s+(?=--)/)
  const colon = target.indexOf(':')
  const [name, folder] = [target.slice(0, colon).trim().toLowerCase(), target.slice(colon + 1).trim()]
  if (colon < 1 || folder === '') throw wrong(line, 'it is not `language:folder`')
  if (!Object.hasOwn(languages, name)) throw wrong(line, `\`${name}\` is no language that bindings are made for`)
  const language = languages[name as keyof typeof languages]
  const given = optionsOf(rest.join(' '), line)
  if (given.namespace !== undefined && language !== 'csharp') throw wrong(line, '`--namespace` is for C# only')
  const unrealModule = given['unreal-module-name']
  // For Unreal it is the project's folder, which may be the workspace.
  if (language !== 'unrealcpp' && relative('.', folder) === '') {
    throw wrong(line, 'the folder is the whole workspace; name one for the generated code alone')
  }
  if (language === 'unrealcpp' && unrealModule === undefined) throw wrong(line, 'Unreal needs `--unreal-module-name`')
  if (language !== 'unrealcpp' && (unrealModule ?? given['module-prefix']) !== undefined) {
    throw wrong(line, '`--unreal-module-name` and `--module-prefix` are for Unreal only')
  }
  const options = Object.entries(given).flatMap(([option, value]) =>
    typeof value === 'string' ? [`--${option}`, value] : [`--${option}`]
  )
  return { language, folder, options, ...(unrealModule !== undefined && { unrealModule }) }
}

function optionsOf(text: string, line: string) {
  try {
    return parseArgs({
      args: text.split(/\s+/).filter(Boolean),
      options: {
        'include-private': { type: 'boolean' },
        namespace: { type: 'string' },
        'unreal-module-name': { type: 'string' },
        'module-prefix': { type: 'string' }
      }
    }).values
  } catch (error) {
    throw wrong(line, `${messageOf(error).split('. ', 1)[0]}`)
  }
}

function wrong(line: string, what: string): ConfigurationError {
  return new ConfigurationError(`Input \`bindings\`: \`${line}\`: ${what}. ${allowed}`)
}
