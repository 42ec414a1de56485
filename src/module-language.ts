import { readdir } from 'node:fs/promises'

/** The languages that SpacetimeDB has server bindings for. */
export type ModuleLanguage = 'rust' | 'csharp' | 'typescript' | 'cpp'

/** What tells a module project, in the order in which the CLI looks (crates/cli/src/util.rs, detect_module_language). */
export const projectMarks: readonly { readonly language: ModuleLanguage; readonly file: string }[] = [
  { language: 'rust', file: 'Cargo.toml' },
  { language: 'csharp', file: '*.csproj' },
  { language: 'typescript', file: 'package.json' },
  { language: 'cpp', file: 'CMakeLists.txt' }
]

/** The language of the module project in a folder, as the CLI tells it; `undefined` where there is none, or no folder. */
export async function detectLanguage(folder: string): Promise<ModuleLanguage | undefined> {
  const files = await readdir(folder).catch((): string[] => [])
  const found = projectMarks.find(({ file }) =>
    file.startsWith('*') ? files.some((each) => each.endsWith(file.slice(1))) : files.includes(file)
  )
  return found?.language
}

/** As it is written in a text. */
export function languageName(language: ModuleLanguage): string {
  return { rust: 'Rust', csharp: 'C#', typescript: 'TypeScript', cpp: 'C++' }[language]
}
